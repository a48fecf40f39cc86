// What a fuzz target and its two drivers (libFuzzer, or the plain program that runs under ctest) agree on.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
