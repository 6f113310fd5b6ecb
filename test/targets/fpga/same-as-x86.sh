#!/usr/bin/env bash
# Compiles models for an FPGA and for x86, runs both on the same inputs, the FPGA's by the OpenCL driver that is there, and
# fails unless all outputs are the same to the last bit.
#
#   test/targets/fpga/same-as-x86.sh BOARD MODEL.onnx...
#
# Inputs are drawn, and those of the test data sets beside the model, if there are any.
set -euo pipefail
board=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for model in "$@"; do
  name=$(basename "$(dirname "$model")")
  mlc compile "$model" --target=x86 -o "$work/x86.so"
  mlc compile "$model" --target=fpga --board="$board" -o "$work/fpga.so" 2>"$work/log" || { cat "$work/log"; exit 1; }
  input=$(mlc info "$work/x86.so" | awk '/^inputs/ { getline; print $1; exit }')
  sources=("--random-inputs=1" "--random-inputs=2")
  for file in "$(dirname "$model")"/test_data_set_*/input_0.pb; do
    [ -e "$file" ] && sources+=("--input=$input=$file")
  done
  compared=0
  for source in "${sources[@]}"; do
    rm -rf "$work/a" "$work/b"
    mlc run "$work/x86.so" "$source" --save-outputs="$work/a" >"$work/log"
    mlc run "$work/fpga.so" "$source" --save-outputs="$work/b" >"$work/log"
    for file in "$work/a"/*; do
      cmp "$file" "$work/b/$(basename "$file")" || { echo "$name: differs with $source"; exit 1; }
      compared=$((compared + 1))
    done
  done
  [ $compared -ge 2 ] || { echo "$name: nothing was compared"; exit 1; }
  echo "$name: $compared outputs are the same"
done
