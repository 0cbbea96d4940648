// Package harness is what the scenarios share: a registry of them, waiting with a deadline, questions to the side that
// runs them, and failing. One process runs one scenario, so a failure ends the process.
package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// Options of a scenario: Own are keys of a broker of its own, which it may kill.
type Options struct {
	Own     map[string]string
	Ours    bool
	Timeout int
}

type scenario struct {
	Name    string            `json:"name"`
	Own     map[string]string `json:"own"`
	Ours    bool              `json:"ours"`
	Timeout int               `json:"timeoutSeconds"`
	run     func(*T)
}

var scenarios []scenario

// Add registers a scenario.
func Add(name string, options Options, run func(*T)) {
	if options.Timeout == 0 {
		options.Timeout = 30
	}
	scenarios = append(scenarios, scenario{name, options.Own, options.Ours, options.Timeout, run})
}

// Main lists the scenarios, or runs the one that is asked for.
func Main() {
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		must(json.NewEncoder(os.Stdout).Encode(scenarios))
		return
	}
	for _, s := range scenarios {
		if s.Name == os.Args[1] {
			s.run(&T{Bootstrap: os.Args[2], name: os.Args[3], answers: bufio.NewReader(os.Stdin)})
			return
		}
	}
	Fail("no scenario %q", os.Args[1])
}

// T is a running scenario.
type T struct {
	Bootstrap string
	name      string
	names     int
	answers   *bufio.Reader
}

// Name is one that no other scenario uses.
func (t *T) Name(hint string) string {
	t.names++
	return fmt.Sprintf("%s-%s-%d", t.name, hint, t.names)
}

// Ask has the other side do something: restart, kill9, batches TOPIC PARTITION.
func (t *T) Ask(request string, answer any) {
	fmt.Println("@" + request)
	line, err := t.answers.ReadString('\n')
	must(err)
	must(json.Unmarshal([]byte(line), answer))
}

// Kill9 kills the broker and starts it again.
func (t *T) Kill9() { t.Ask("kill9", new(any)) }

// Restart stops the broker in order and starts it again.
func (t *T) Restart() { t.Ask("restart", new(any)) }

// Fail ends the scenario, from any goroutine.
func Fail(format string, args ...any) {
	where := []string{}
	for skip := 1; skip < 8; skip++ {
		if _, file, line, ok := runtime.Caller(skip); ok && strings.Contains(file, "compat/go") {
			where = append(where, fmt.Sprintf("%s:%d", file[strings.LastIndex(file, "compat/go"):], line))
		}
	}
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	fmt.Fprintln(os.Stderr, strings.Join(where, " "))
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		Fail("%v", err)
	}
}

// Must fails when there is an error.
func Must(err error) { must(err) }

// Got passes a value on, and fails when there is an error.
func Got[V any](value V, err error) V {
	must(err)
	return value
}

// Equal fails unless both are deeply equal.
func Equal(found, expected any) {
	if reflect.DeepEqual(found, expected) {
		return
	}
	f, e := fmt.Sprintf("%#v", found), fmt.Sprintf("%#v", expected)
	same := 0
	for same < min(len(f), len(e)) && f[same] == e[same] {
		same++
	}
	from := max(0, same-100)
	Fail("found    %.400s\nexpected %.400s\nfrom character %d on", f[from:], e[from:], from)
}

// Eventually asks until the answer is true.
func Eventually(what string, question func() bool) {
	deadline := time.Now().Add(40 * time.Second)
	for !question() {
		if time.Now().After(deadline) {
			Fail("%s: not within 40 s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Noise is made of bytes that no codec makes smaller.
func Noise(length int) []byte {
	state, out := uint32(7), make([]byte, length)
	for i := range out {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		out[i] = byte(state)
	}
	return out
}
