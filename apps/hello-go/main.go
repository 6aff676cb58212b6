// Says what it was started with, and ends with one more than the number of its arguments: a static NetBSD program.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	greeting, found := os.LookupEnv("GREETING")
	if !found {
		greeting = "good day"
	}
	fmt.Printf("%s from Go (%s/%s)\n", greeting, runtime.GOOS, runtime.GOARCH)
	for i, argument := range os.Args {
		fmt.Printf("argument %d: %s\n", i, argument)
	}
	os.Exit(len(os.Args) + 1)
}
