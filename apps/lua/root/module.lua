-- What selftest.lua requires.
return { answer = 42 }
