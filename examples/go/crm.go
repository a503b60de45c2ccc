// Hands numbers to ctidialer and waits for what became of them.
//
//	go mod init crm && go get github.com/gomodule/redigo/redis
//	go run crm.go 13800138000 13800138001
//
// Where Redis is says REDIS_URL, under which host name the daemon works CTIDIALER_HOST, by default
// this machine's. The exit status is 0 when every number has its record, 1 when not.
//
// What a CRM has to know: the key that joins a record to your customer is a UUID of your own, the
// variable origination_uuid of the number. The record carries it as requested_uuid.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	task     = "crm_example"
	queue    = "crm_example_numbers"
	lastRead = "crm_example_last_read" // ours: the id of the last record that we have dealt with
)

// Object is a JSON object to be written.
type Object map[string]any

// Record is what we need of a record. Fields that can be null are pointers.
type Record struct {
	RequestedUUID *string  `json:"requested_uuid"`
	Number        *string  `json:"number"`
	Outcome       string   `json:"outcome"`
	HangupCause   *string  `json:"hangup_cause"`
	BillSeconds   *float64 `json:"bill_seconds"`
	// What record_variables of the task asks for: texts, or numbers where asked for as such.
	Variables map[string]any `json:"variables"`
}

func main() {
	numbers := os.Args[1:]
	if len(numbers) == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run crm.go NUMBER...")
		os.Exit(2)
	}
	customers, err := run(numbers)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Redis:", err)
		os.Exit(1)
	}
	for _, customer := range customers {
		fmt.Fprintf(os.Stderr, "%s has no record yet; ask: ctidialer explain %s\n", customer, task)
	}
	if len(customers) > 0 {
		os.Exit(1)
	}
}

// run pushes the numbers, and returns the customers that have no record in the end.
func run(numbers []string) (map[string]string, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	defer func() { conn.Close() }()
	stream := "cti_dialer_record@" + host()
	position, err := startAt(conn, stream) // before the push, so that no record can be missed
	if err != nil {
		return nil, err
	}
	if err := putTask(conn); err != nil {
		return nil, err
	}
	customers, err := push(conn, numbers)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(patience())
	for len(customers) > 0 && time.Now().Before(end) {
		position, err = read(conn, stream, position, customers)
		if err == nil {
			continue
		}
		var refused redis.Error // what Redis itself says will not be mended by trying again
		if errors.As(err, &refused) {
			return nil, err
		}
		fmt.Fprintln(os.Stderr, "Redis is away, trying again:", err)
		time.Sleep(time.Second)
		conn.Close()
		if again, err := dial(); err == nil {
			conn = again
		}
	}
	return customers, nil
}

// putTask writes the task: through which gateway, how many at once, where answered calls go.
func putTask(conn redis.Conn) error {
	document, err := json.Marshal(Object{
		"params": Object{
			"enable":                true,
			"line_group":            []string{"carrier1"},
			"limit":                 10,
			"number_queue":          queue,
			"destination_extension": "8888",
			"record_variables":      []string{"crm_customer"}, // in "variables" of each record
		},
		"variables": Object{"origination_caller_id_number": "02088886666"},
	})
	if err != nil {
		return err
	}
	if _, err := conn.Do("HSET", "cti_queue_dialer_task@template", task, document); err != nil {
		return err
	}
	// Without this notice the daemon sees the task at its next look, within five seconds.
	notice, err := json.Marshal(Object{
		"type": "config_change", "table": "cti_queue_dialer_task", "key": task,
	})
	if err != nil {
		return err
	}
	_, err = conn.Do("PUBLISH", "config@all", notice)
	return err
}

// push appends the numbers to the queue in one command; it returns our customers by UUID.
func push(conn redis.Conn, numbers []string) (map[string]string, error) {
	customers := map[string]string{}
	arguments := redis.Args{}.Add(queue)
	for index, number := range numbers {
		own, customer := newUUID(), fmt.Sprintf("customer-%d", index+1)
		entry, err := json.Marshal(Object{
			"params":    Object{"number": number},
			"variables": Object{"origination_uuid": own, "crm_customer": customer},
		})
		if err != nil {
			return nil, err
		}
		customers[own] = customer
		arguments = arguments.Add(entry)
	}
	// Not to be repeated blindly: when the connection is lost here, the numbers may be in the queue.
	_, err := conn.Do("RPUSH", arguments...)
	return customers, err
}

// startAt returns the id after which to read: where we stopped, else the stream's end as it is now.
func startAt(conn redis.Conn, stream string) (string, error) {
	kept, err := redis.String(conn.Do("GET", lastRead))
	if err != redis.ErrNil {
		return kept, err
	}
	newest, err := redis.Values(conn.Do("XREVRANGE", stream, "+", "-", "COUNT", 1))
	if err != nil || len(newest) == 0 {
		return "0-0", err
	}
	entry, err := redis.Values(newest[0], nil)
	if err != nil {
		return "", err
	}
	return redis.String(entry[0], nil)
}

// read takes the records after position, waiting a second for one, and returns how far it has read.
func read(conn redis.Conn, stream, position string, customers map[string]string) (string, error) {
	// "$" would lose what is written between two reads: always say where we are.
	reply, err := redis.Values(conn.Do(
		"XREAD", "COUNT", 100, "BLOCK", 1000, "STREAMS", stream, position))
	if err == redis.ErrNil { // nothing within the second
		return position, nil
	}
	if err != nil {
		return position, err
	}
	streams, err := redis.Values(reply[0], nil) // one stream was asked for: its name, its entries
	if err != nil {
		return position, err
	}
	entries, err := redis.Values(streams[1], nil)
	if err != nil {
		return position, err
	}
	for _, one := range entries {
		entry, err := redis.Values(one, nil)
		if err != nil {
			return position, err
		}
		fields, err := redis.StringMap(entry[1], nil)
		if err != nil {
			return position, err
		}
		var record Record
		if err := json.Unmarshal([]byte(fields["record"]), &record); err != nil {
			return position, fmt.Errorf("a record that is no JSON: %w", err)
		}
		take(record, customers)
		if position, err = redis.String(entry[0], nil); err != nil {
			return position, err
		}
		// After the work, not before it: a crash reads a record twice, and loses none.
		if _, err := conn.Do("SET", lastRead, position); err != nil {
			return position, err
		}
	}
	return position, nil
}

// take does what the CRM does with a record; records of others pass by.
func take(record Record, customers map[string]string) {
	if record.RequestedUUID == nil {
		return
	}
	customer, ours := customers[*record.RequestedUUID]
	if !ours {
		return
	}
	delete(customers, *record.RequestedUUID)
	if said, ok := record.Variables["crm_customer"].(string); ok {
		customer = said // as it was on the call
	}
	talked := 0.0
	if record.BillSeconds != nil {
		talked = *record.BillSeconds
	}
	fmt.Printf("%s %s %s %s %.1f s\n", customer, text(record.Number), record.Outcome,
		text(record.HangupCause), talked)
}

func text(value *string) string {
	if value == nil {
		return "-"
	}
	return *value
}

func dial() (redis.Conn, error) {
	url := os.Getenv("REDIS_URL")
	if url == "" {
		url = "redis://127.0.0.1:6379/0"
	}
	return redis.DialURL(url, redis.DialConnectTimeout(5*time.Second),
		redis.DialReadTimeout(10*time.Second), redis.DialWriteTimeout(10*time.Second))
}

func host() string {
	if name := os.Getenv("CTIDIALER_HOST"); name != "" {
		return name
	}
	name, _ := os.Hostname()
	return name
}

// patience is how long to wait for all records together.
func patience() time.Duration {
	if seconds, err := strconv.ParseFloat(os.Getenv("CRM_PATIENCE"), 64); err == nil {
		return time.Duration(seconds * float64(time.Second))
	}
	return 2 * time.Minute
}

func newUUID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
