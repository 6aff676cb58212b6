#!/bin/sh
# The compiler that nginx's configure script is given: `rumpbake cc`. The script runs some of the programs that it has compiled, which
# are NetBSD programs; so each becomes a script here that bakes the program into an image and boots it.
set -eu
rumpbake=${RUMPBAKE:-rumpbake}

"$rumpbake" cc "$@"
case " $* " in
*' -o objs/autotest '*) ;;
*) exit 0 ;;
esac
mv objs/autotest objs/autotest.elf
cat >objs/autotest <<SCRIPT
#!/bin/sh
"$rumpbake" hw -q objs/autotest.elf -o objs/autotest.img && exec "$rumpbake" run objs/autotest.img </dev/null
SCRIPT
chmod +x objs/autotest
