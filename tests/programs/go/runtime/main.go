// The Go runtime at work: goroutines, timers, channels, garbage collection under pressure, a recovered panic, signals, a busy goroutine.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var failed bool

func check(ok bool, what string) {
	if !ok {
		fmt.Println("failed:", what)
		failed = true
	}
}

func goroutines() {
	var wg sync.WaitGroup
	var sum atomic.Int64
	results := make(chan int, 16)
	for i := range 1000 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			time.Sleep(time.Duration(i%7) * time.Millisecond)
			sum.Add(int64(i))
			results <- i
		}()
	}
	seen := 0
	for range 1000 {
		<-results
		seen++
	}
	wg.Wait()
	check(seen == 1000 && sum.Load() == 499500, "a thousand goroutines")
}

func timers() {
	start := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	for range 10 {
		<-ticker.C
	}
	ticker.Stop()
	passed := time.Since(start)
	check(passed >= 45*time.Millisecond, "ten ticks take their time")
	select {
	case <-time.After(10 * time.Millisecond):
	case <-make(chan int):
		check(false, "the timer comes first")
	}
}

type node struct {
	left, right *node
	payload     [64]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func garbage() {
	debug.SetMemoryLimit(64 << 20)
	for range 40 {
		t := tree(14)
		check(t.left != nil, "a tree stands")
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	check(stats.NumGC > 2 && stats.HeapAlloc < 64<<20, "the collector keeps up")
	debug.FreeOSMemory()
}

func recovered() (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	var none *node
	_ = none.left
	return "not reached"
}

func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	check(syscall.Kill(syscall.Getpid(), syscall.SIGUSR1) == nil, "kill")
	select {
	case s := <-c:
		check(s == syscall.SIGUSR1, "the signal is the one sent")
	case <-time.After(5 * time.Second):
		check(false, "a signal arrives")
	}
}

func busy() {
	var stop atomic.Bool
	for range 3 {
		go func() {
			for i := 0; !stop.Load(); i++ {
			}
		}()
	}
	turns := 0
	for range 20 {
		time.Sleep(time.Millisecond)
		turns++
	}
	stop.Store(true)
	check(turns == 20, "busy goroutines do not starve others")
}

func main() {
	goroutines()
	timers()
	garbage()
	check(recovered() == "runtime error: invalid memory address or nil pointer dereference", "a nil dereference is a panic")
	signals()
	busy()
	fmt.Println(runtime.GOOS, runtime.GOARCH, len(os.Args), os.Getenv("WHO"))
	if failed {
		os.Exit(1)
	}
	fmt.Println("runtime: all right")
	os.Exit(3)
}
