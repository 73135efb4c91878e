// How Go's values go into the calls: database/sql and lib/pq.  The arguments are
// the connection string and a name.
package main

import (
	"database/sql"
	"encoding/json"
	"log"
	"os"

	"github.com/lib/pq"
)

func main() {
	db, err := sql.Open("postgres", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	call := func(query string, args ...any) {
		if _, err := db.Exec(query, args...); err != nil {
			log.Fatal(query, ": ", err)
		}
	}

	name := os.Args[2]
	value, err := json.Marshal(map[string]int{"total": 20})
	if err != nil {
		log.Fatal(err)
	}
	call("SELECT topic.produce('calls', $1, key => $2)", "hello", name)
	call("SELECT topic.produce('calls', $1::jsonb, key => $2::bigint, headers => $3)",
		string(value), 42, `{"source": "web"}`)
	call("SELECT topic.produce('calls', $1, key => $2)", "no key", nil)
	call("SELECT topic.produce('calls', $1, key => $2::uuid)",
		nil, "0190163d-8694-739b-aea5-966c26f8ad91")
	call("SELECT topic.produce('calls', $1::bytea, key => $2::bytea)",
		[]byte("bytes"), []byte("key"))
	call("SELECT * FROM topic.produce_batch('calls', $1::text[], keys => $2)",
		pq.Array([]string{"a", "b"}), pq.Array([]*string{&name, nil}))
	call("SELECT * FROM topic.produce_batch('calls', $1::jsonb[])",
		pq.Array([]string{`{"total": 1}`, `{"total": 2}`}))
	call("SELECT * FROM topic.produce_batch('calls', $1::text[])", pq.Array([]string{}))
}
