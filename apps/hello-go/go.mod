module rumpbake.example/hello-go

go 1.24
