// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Included into every mutated source by tools/mutation: asks at run time which mutant is switched on. SEL4VM_MUTANT is its number; when
// SEL4VM_MUTANTS_REACHED names a file, the numbers of all that were asked are appended to it when the program ends.

#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace sel4vm_mutation {

inline constexpr int kMost = 65536;

inline int number_from_environment() {
  const char *const text = std::getenv("SEL4VM_MUTANT");
  return text == nullptr ? 0 : std::atoi(text);
}

inline const int chosen = number_from_environment();

struct Reached {
  ~Reached() {
    const char *const path = std::getenv("SEL4VM_MUTANTS_REACHED");
    std::FILE *const file = path == nullptr ? nullptr : std::fopen(path, "a");
    if (file == nullptr) {
      return;
    }
    for (int id = 0; id < kMost; ++id) {
      if (asked[id]) {
        std::fprintf(file, "%d\n", id);
      }
    }
    std::fclose(file);
  }

  bool asked[kMost] = {};
};

inline Reached reached;

inline bool ask(int id) {
  // Several threads may write; they write the same.
  __atomic_store_n(&reached.asked[id], true, __ATOMIC_RELAXED);
  return id == chosen;
}

// What the compiler evaluates is never mutated.
constexpr bool on(int id) { return !std::is_constant_evaluated() && ask(id); }

} // namespace sel4vm_mutation
