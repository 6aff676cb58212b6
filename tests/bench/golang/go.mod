module rumpbake.bench/golang

go 1.26
