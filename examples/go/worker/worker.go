// A worker with database/sql and lib/pq: flights become rows of the table
// arrival.  The argument is the connection string, "" for the usual variables:
// PGHOST and so on.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"os"
	"time"

	"github.com/lib/pq"
)

type arrival struct {
	partition    int
	recordOffset int64
	origin       string
	destination  string
	delay        int
}

// consume reads the whole batch: its rows have to be closed before the
// transaction's next statement.
func consume(tx *sql.Tx) ([]arrival, error) {
	rows, err := tx.Query(`SELECT partition, record_offset, key, value ->> 'destination',
			(value ->> 'delay')::int
		FROM topic.consume_json('arrivals', 'flights', max_records => 250)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()

	var batch []arrival
	for rows.Next() {
		var a arrival
		err := rows.Scan(&a.partition, &a.recordOffset, &a.origin, &a.destination, &a.delay)
		if err != nil {
			return nil, err
		}
		batch = append(batch, a)
	}
	return batch, rows.Err()
}

// write copies the batch into the table.
func write(tx *sql.Tx, batch []arrival) error {
	stmt, err := tx.Prepare(pq.CopyIn("arrival",
		"partition", "record_offset", "origin", "destination", "delay"))
	if err != nil {
		return err
	}
	defer stmt.Close()

	for _, a := range batch {
		_, err := stmt.Exec(a.partition, a.recordOffset, a.origin, a.destination, a.delay)
		if err != nil {
			return err
		}
	}
	_, err = stmt.Exec()
	return err
}

// handleBatch consumes, writes and commits the offsets, in one transaction.
func handleBatch(db *sql.DB) error {
	tx, err := db.BeginTx(context.Background(),
		&sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer tx.Rollback() // unless it was committed

	batch, err := consume(tx)
	if err != nil {
		return err
	}
	if err := write(tx, batch); err != nil {
		return err
	}
	if _, err := tx.Exec("SELECT * FROM topic.commit('arrivals', 'flights')"); err != nil {
		return err
	}
	return tx.Commit()
}

// work goes on until there is an error.  The CALL is outside of transactions.
func work(db *sql.DB) error {
	for {
		if _, err := db.Exec("CALL topic.wait_for_records('arrivals', 'flights')"); err != nil {
			return err
		}
		if err := handleBatch(db); err != nil {
			return err
		}
	}
}

// isTransient: 40001, a deadlock, 55P03, a timeout; or the connection broke, or
// could not be made, which the driver tells by errors of many types.
func isTransient(err error) bool {
	var failure *pq.Error
	if !errors.As(err, &failure) {
		return true
	}
	switch failure.Code.Class() {
	case "08", "40", "53", "57":
		return true
	}
	return failure.Code == "55P03"
}

func main() {
	// A pool: it makes a new connection where one broke.
	db, err := sql.Open("postgres", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		err := work(db)
		if !isTransient(err) {
			log.Fatal(err)
		}
		log.Print(err)
		time.Sleep(500 * time.Millisecond)
	}
}
