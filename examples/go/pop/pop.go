// A screen pop: says whom an agent is connected to, and when the call is over.
//
//	go mod init pop && go get github.com/gomodule/redigo/redis
//	go run pop.go 1001@default            (without an agent: for all of them)
//
// The daemon has to tell of calls: [records] events = "cti_dialer_event@fs1" in its settings; the
// stream's name goes into CTIDIALER_EVENTS, where Redis is into REDIS_URL. Events are telling, not
// booking: what has to be right in the end (bills, statistics) stands in the records.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gomodule/redigo/redis"
)

const lastRead = "pop_example_last_read" // ours: the id of the last event that we have shown

// Event is what we need of an event. Fields that can be null are pointers.
type Event struct {
	Event     string         `json:"event"`
	UUID      *string        `json:"uuid"`
	Number    *string        `json:"number"`
	Agent     *string        `json:"agent"`
	Outcome   *string        `json:"outcome"`
	Variables map[string]any `json:"variables"`
}

var (
	stream   = environment("CTIDIALER_EVENTS", "cti_dialer_event@fs1")
	onScreen = map[string]bool{}
)

func main() {
	agent := ""
	if len(os.Args) > 1 {
		agent = os.Args[1]
	}
	patience, err := strconv.ParseFloat(environment("POP_PATIENCE", "1e9"), 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "POP_PATIENCE:", err)
		os.Exit(2)
	}
	end := time.Now().Add(time.Duration(patience * float64(time.Second)))
	position := ""
	for time.Now().Before(end) {
		position, err = follow(position, agent, end)
		var refused redis.Error // what Redis itself says will not be mended by trying again
		if errors.As(err, &refused) {
			fmt.Fprintln(os.Stderr, "Redis:", err)
			os.Exit(1)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "Redis is away, trying again:", err)
			time.Sleep(time.Second)
		}
	}
}

// follow shows events on one connection, until that breaks or the end has come.
func follow(position, agent string, end time.Time) (string, error) {
	conn, err := redis.DialURL(environment("REDIS_URL", "redis://127.0.0.1:6379/0"),
		redis.DialConnectTimeout(5*time.Second), redis.DialReadTimeout(10*time.Second))
	if err != nil {
		return position, err
	}
	defer conn.Close()
	if position == "" {
		if position, err = startAt(conn); err != nil {
			return "", err
		}
	}
	for time.Now().Before(end) {
		if position, err = read(conn, position, agent); err != nil {
			return position, err
		}
	}
	return position, nil
}

// startAt returns the id after which to read: where we stopped, else the stream's end as it is now.
func startAt(conn redis.Conn) (string, error) {
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

// read shows the events after position, waiting a second for one, and returns how far it has read.
func read(conn redis.Conn, position, agent string) (string, error) {
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
		var event Event
		if err := json.Unmarshal([]byte(fields["event"]), &event); err != nil {
			return position, fmt.Errorf("an event that is no JSON: %w", err)
		}
		show(event, agent)
		if position, err = redis.String(entry[0], nil); err != nil {
			return position, err
		}
	}
	_, err = conn.Do("SET", lastRead, position)
	return position, err
}

// show pops up at "bridged" and closes at "ended".
func show(event Event, agent string) {
	uuid := text(event.UUID)
	switch {
	case event.Event == "bridged" && (agent == "" || agent == text(event.Agent)):
		onScreen[uuid] = true
		customer, known := event.Variables["crm_customer"]
		if !known {
			customer = "-"
		}
		fmt.Println("pop", text(event.Agent), text(event.Number), customer)
	case event.Event == "ended" && onScreen[uuid]:
		delete(onScreen, uuid)
		fmt.Println("close", text(event.Number), text(event.Outcome))
	}
}

func text(value *string) string {
	if value == nil {
		return "-"
	}
	return *value
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
