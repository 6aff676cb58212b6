// What a Go program feels of the system under it: goroutines and channels, the garbage collector's memory, timers, and ordinary work.
//
// It prints the lines that tests/bench/bench.h describes.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

var (
	repetitions = 7
	batch       = 20 * time.Millisecond
	quick       bool
)

func sample(figure string, value float64, unit string) {
	fmt.Printf("bench golang.%s %.2f %s\n", figure, value, unit)
}

func timed(run func(count int), count int) time.Duration {
	start := time.Now()
	run(count)
	return time.Since(start)
}

// measure prints the nanoseconds of one of the operations that run does count times; finding count is the warm-up.
func measure(figure string, run func(count int)) {
	count := 1
	for {
		took := timed(run, count)
		if took >= batch/2 {
			// Was it slow for being the first, or because the machine did something else?
			took = min(took, timed(run, count))
		}
		if took >= batch {
			break
		}
		wanted := 8 * count
		if took > 0 {
			wanted = min(wanted, int(int64(batch)*int64(count)/int64(took))+1)
		}
		count = wanted
		if took >= batch/2 {
			break
		}
	}
	for range repetitions {
		sample(figure, float64(timed(run, count))/float64(count), "ns")
	}
}

func pingPong(count int) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for value := range ping {
			pong <- value
		}
		close(pong)
	}()
	for i := range count {
		ping <- i
		<-pong
	}
	close(ping)
	<-pong
}

func buffered(count int) {
	channel := make(chan int, 128)
	go func() {
		for i := range count {
			channel <- i
		}
		close(channel)
	}()
	for range channel {
	}
}

func spawn(count int) {
	var group sync.WaitGroup
	for range count {
		group.Add(1)
		go group.Done()
	}
	group.Wait()
}

func contended(count int) {
	var mutex sync.Mutex
	var group sync.WaitGroup
	total := 0
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range count / 4 {
				mutex.Lock()
				total++
				mutex.Unlock()
			}
		}()
	}
	group.Wait()
}

type node struct {
	left, right *node
	payload     [4]uint64
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

var sink any

func allocate(count int) {
	for range count {
		sink = new([8]uint64)
	}
}

func fillMap(count int) {
	table := make(map[int]int)
	for i := range count {
		table[i*7919] = i
	}
	sink = table
}

func buildStrings(count int) {
	var builder strings.Builder
	for i := range count {
		fmt.Fprintf(&builder, "%d:%s;", i, "value")
	}
	sink = builder.String()
}

type record struct {
	Name   string            `json:"name"`
	Values []float64         `json:"values"`
	Labels map[string]string `json:"labels"`
	Nested []struct{ A, B int }
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "quick" {
		quick, repetitions, batch = true, 3, 4*time.Millisecond
	}
	measure("channel_round_trip", pingPong)
	measure("channel_buffered", buffered)
	measure("goroutine_create", spawn)
	measure("mutex_4_goroutines", contended)
	measure("allocate_64_bytes", allocate)
	measure("map_insert", fillMap)
	measure("format_into_string", buildStrings)

	value := record{Name: "rumpbake", Values: []float64{1, 2.5, 3.25, 1e10}, Labels: map[string]string{"a": "b", "c": "d"},
		Nested: []struct{ A, B int }{{1, 2}, {3, 4}}}
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	measure("json_encode", func(count int) {
		for range count {
			if _, err := json.Marshal(value); err != nil {
				panic(err)
			}
		}
	})
	measure("json_decode", func(count int) {
		for range count {
			var into record
			if err := json.Unmarshal(encoded, &into); err != nil {
				panic(err)
			}
		}
	})

	// A collection with some megabytes of pointers alive.
	depth := 15
	if quick {
		depth = 12
	}
	root := tree(depth)
	runtime.GC()
	for range repetitions {
		sample("collect_tree", float64(timed(func(int) { runtime.GC() }, 1))/1000, "us")
	}
	runtime.KeepAlive(root)

	sleeps := 200
	if quick {
		sleeps = 60
	}
	late := make([]float64, sleeps)
	for range repetitions {
		for i := range late {
			start := time.Now()
			time.Sleep(time.Millisecond)
			late[i] = float64(time.Since(start)-time.Millisecond) / 1000
		}
		sort.Float64s(late)
		sample("sleep_late_1ms_median", late[sleeps/2], "us")
		sample("sleep_late_1ms_p99", late[sleeps*99/100], "us")
	}
}
