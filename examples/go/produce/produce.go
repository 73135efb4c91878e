// Produce the flights of standard input, one JSON object a line: database/sql
// and lib/pq.
//
// 1,000 records a call, and a transaction.  The argument is the connection
// string, "" for the usual variables: PGHOST and so on.
package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"log"
	"os"

	"github.com/lib/pq"
)

func produce(db *sql.DB, lines []string) error {
	origins := make([]string, len(lines))
	for i, line := range lines {
		var flight struct{ Origin string }
		if err := json.Unmarshal([]byte(line), &flight); err != nil {
			return err
		}
		origins[i] = flight.Origin
	}
	_, err := db.Exec("SELECT * FROM topic.produce_batch('flights', $1::jsonb[], keys => $2)",
		pq.Array(lines), pq.Array(origins))
	return err
}

func main() {
	db, err := sql.Open("postgres", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	var lines []string
	input := bufio.NewScanner(os.Stdin)
	for more := true; more; {
		if more = input.Scan(); more {
			lines = append(lines, input.Text())
		}
		if len(lines) == 1000 || !more {
			if err := produce(db, lines); err != nil {
				log.Fatal(err)
			}
			lines = nil
		}
	}
	if err := input.Err(); err != nil {
		log.Fatal(err)
	}
}
