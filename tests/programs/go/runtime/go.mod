module rumpbake.test/runtime

go 1.26
