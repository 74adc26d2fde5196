// SPDX-License-Identifier: BSD-2-Clause
//
// The formatting of C's printf for integers, characters, strings and pointers, as C11 7.21.6.1 has it. Deliberately no floating
// point, wide characters or %n: a conversion that is not known comes out as it stands in the format.
#pragma once

#include <sel4vm/base/types.hpp>

#include <cstdarg>

namespace sel4vm::el2 {

/// Takes characters one at a time.
class CharSink {
public:
    virtual void put(char character) = 0;

protected:
    ~CharSink() = default;
};

/// Returns how many characters the sink was given.
usize format_text(CharSink &sink, const char *format, std::va_list arguments);

} // namespace sel4vm::el2
