// Tells ctidialer what the agents of a back end do, so that it dials as much as they can take.
//
//	go mod init agents && go get github.com/gomodule/redigo/redis
//	printf '2001 idle\n2002 talk\n' | go run agents.go sales
//
// Each line of the input is an agent and what he does from now on: idle, ring, talk, wrap, rest or
// out. A task names the group: "agent_group": "sales". When the input ends, all of them have gone
// home. Where Redis is says REDIS_URL; CTIDIALER_DOMAIN is "domain" in the daemon's settings, by
// default this machine's name.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	every = 3 * time.Second // how often the heart is renewed…
	lasts = 10              // … and how many seconds it lasts
)

// State is what an agent does, and since when: that is worth much in predicting.
type State struct {
	name  string
	since float64
}

var (
	states  = map[string]bool{"idle": true, "ring": true, "talk": true, "wrap": true, "rest": true, "out": true}
	domain  = environment("CTIDIALER_DOMAIN", hostname())
	table   = "cti_agent@" + domain
	heart   = "cti_agent_heart@" + domain
	known   = map[string]State{}
	changed = map[string]bool{}
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: agents GROUP")
		os.Exit(2)
	}
	lines := make(chan string, 100)
	go read(lines)
	for {
		err := follow(lines, os.Args[1])
		if err == nil {
			return
		}
		var refused redis.Error // what Redis itself says will not be mended by trying again
		if errors.As(err, &refused) {
			fmt.Fprintln(os.Stderr, "Redis:", err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "Redis is away, trying again:", err)
		time.Sleep(time.Second)
		for agent := range known { // it may have lost what we wrote
			changed[agent] = true
		}
	}
}

func read(lines chan<- string) {
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		lines <- strings.TrimSpace(scanner.Text())
	}
	close(lines)
}

// follow takes lines on one connection, until that breaks; nil = the input has ended.
func follow(lines <-chan string, group string) error {
	conn, err := redis.DialURL(environment("REDIS_URL", "redis://127.0.0.1:6379/0"),
		redis.DialConnectTimeout(5*time.Second), redis.DialReadTimeout(10*time.Second))
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		if err := tell(conn, group); err != nil {
			return err
		}
		select {
		case line, more := <-lines:
			if !more {
				return goHome(conn)
			}
			take(line)
		case <-time.After(every):
		}
	}
}

// tell writes who has changed, and renews the heart.
func tell(conn redis.Conn, group string) error {
	for agent := range changed {
		state := known[agent]
		params := map[string]any{"group": []string{group}, "state": state.name, "time": state.since}
		document, err := json.Marshal(map[string]any{"params": params})
		if err != nil {
			return err
		}
		if _, err := conn.Do("HSET", table, agent, document); err != nil {
			return err
		}
		if err := publish(conn, agent); err != nil {
			return err
		}
		delete(changed, agent)
	}
	// Here and nowhere else: if this program hangs or dies, nobody is called for its agents.
	_, err := conn.Do("SET", heart, 1, "EX", lasts)
	return err
}

// publish says that an agent has changed: without it the daemon sees it a second later.
func publish(conn redis.Conn, agent string) error {
	notice, err := json.Marshal(
		map[string]string{"type": "config_change", "table": "cti_agent", "key": agent})
	if err == nil {
		_, err = conn.Do("PUBLISH", "config@all", notice)
	}
	return err
}

// goHome takes our agents out; the heart may be needed by others, and ends by itself.
func goHome(conn redis.Conn) error {
	for agent := range known {
		if _, err := conn.Do("HDEL", table, agent); err != nil {
			return err
		}
		if err := publish(conn, agent); err != nil {
			return err
		}
	}
	return nil
}

// take notes what a line says.
func take(line string) {
	agent, state, _ := strings.Cut(line, " ")
	if !states[state] {
		fmt.Fprintf(os.Stderr, "not an agent and a state: '%s'\n", line)
	} else if known[agent].name != state {
		known[agent] = State{state, float64(time.Now().UnixMilli()) / 1e3}
		changed[agent] = true
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "fs1"
	}
	return name
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
