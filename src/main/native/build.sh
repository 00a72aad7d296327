#!/bin/sh
# Builds the native kernels into a folder: sh build.sh OUTDIR. They are optional: without a C compiler, or on a
# processor they are not written for, this says so and succeeds, and the Vector API kernels are used.
here=$(cd "$(dirname "$0")" && pwd)
out=$1
lib=$out/liblory_kernels.so
cc=${CC:-cc}

leave_out() {
    rm -f "$lib"
    echo "native kernels: left out, $1"
    exit 0
}

case $(uname -m) in
    x86_64 | amd64) ;;
    *) leave_out "none are written for $(uname -m)" ;;
esac
command -v "$cc" >/dev/null 2>&1 || leave_out "there is no C compiler ($cc)"
mkdir -p "$out" || leave_out "cannot make $out"

fresh=yes
for source in "$here"/*.[ch] "$here/build.sh"; do
    [ "$lib" -nt "$source" ] || fresh=no
done
[ $fresh = yes ] && exit 0

# No -march=native: the jar may travel. No contraction: the results must not depend on the compiler's choice.
work=$(mktemp -d) || leave_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
flags="-O3 -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno"
{
    "$cc" $flags -c "$here/cpu.c" -o "$work/cpu.o" &&
    "$cc" $flags -mavx2 -mfma -mf16c -DISA=avx2 -c "$here/kernels.c" -o "$work/avx2.o" &&
    "$cc" $flags -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mprefer-vector-width=512 \
        -DISA=avx512 -c "$here/kernels.c" -o "$work/avx512.o" &&
    "$cc" -shared "$work/cpu.o" "$work/avx2.o" "$work/avx512.o" -o "$work/lib.so" &&
    mv "$work/lib.so" "$lib"
} 2>"$work/log" || leave_out "$cc failed: $(head -n 1 "$work/log")"
