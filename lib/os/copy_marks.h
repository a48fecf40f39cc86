// Copies of this library that are loaded into the process, at work or not. Each carries an ELF note, which the
// dynamic linker's list of loaded objects leads to: asking costs microseconds, reading the maps of a program with tens
// of thousands of mappings tens of milliseconds.
#pragma once

namespace damon {

// Whether this copy is the only one. False also where that cannot be told: the note was dropped by a linker script, or
// objects are loaded that this one's list does not show (dlmopen).
bool is_only_copy_loaded();

}  // namespace damon
