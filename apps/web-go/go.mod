module rumpbake.example/web-go

go 1.24
