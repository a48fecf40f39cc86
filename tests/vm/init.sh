#!/bin/busybox sh
# shellcheck shell=dash
# Runs as the first process of the virtual machine. The console is for reading; results go to the second serial port.
/bin/busybox --install -s /bin
export PATH=/bin DAMON_IN_VM=1 TEST_TMPDIR=/disk/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
port=/dev/ttyS1 # arm64's console is another device, and the port the first of this kind
grep -q console=ttyS0 /proc/cmdline || port=/dev/ttyS0
stty -F $port raw
exec 3>$port
echo "VM-KERNEL $(uname -r)" >&3

# The statistics of the kernel's own DAMON would occupy it.
stat_switch=/sys/module/damon_stat/parameters/enabled
[ ! -w $stat_switch ] || echo N >$stat_switch

while read -r module parameters; do
    # shellcheck disable=SC2086 # none, or several words
    insmod "/modules/$module.ko" $parameters || echo "VM-PROBLEM insmod $module" >&3
done </modules/order
if [ -w /sys/block/zram1/disksize ]; then
    echo 512M >/sys/block/zram0/disksize
    mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || echo "VM-PROBLEM no swap" >&3
    echo 128M >/sys/block/zram1/disksize
    zcat /modules/disk.gz >/dev/zram1 && mount -t ext4 /dev/zram1 /disk || echo "VM-PROBLEM no disk" >&3
fi
echo 8 >/proc/sys/vm/nr_hugepages
huge_shared=/sys/kernel/mm/transparent_hugepage/shmem_enabled
[ ! -w $huge_shared ] || echo advise >$huge_shared

# Programs that measure: what they print is the result. Their parameters come with the kernel's command line.
for program in /bench/*; do
    [ -x "$program" ] || continue
    name=${program##*/}
    # shellcheck disable=SC2086 # none, or several words
    "$program" ${DAMON_VM_WORDS:-} >&3
    echo "VM-RESULT $name $?" >&3
    echo "VM-END $name" >&3
done

for program in /tests/*; do
    [ -x "$program" ] || continue
    name=${program##*/}
    rm -f /tmp/result.xml
    timeout -s KILL "${DAMON_VM_PROGRAM_SECONDS:-600}" "$program" --gtest_color=no --gtest_output=xml:/tmp/result.xml
    echo "VM-RESULT $name $?" >&3
    [ ! -f /tmp/result.xml ] || cat /tmp/result.xml >&3
    echo "VM-END $name" >&3
done
echo VM-DONE >&3
sleep 1
poweroff -f
