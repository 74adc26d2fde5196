// SPDX-License-Identifier: BSD-2-Clause
//
// A bound for what is answered by "try again" where the next try should succeed: whatever keeps it from doing so, the one who tries does
// not do it for ever. It counts how often the same thing came up with nothing else of its kind in between.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

class RepeatGuard {
public:
    static constexpr u32 kLimit = 32;

    /// One more time: `where` and `what` say which. False: kLimit times in a row already; counting starts anew.
    [[nodiscard]] constexpr bool once_more(u64 where, u64 what) {
        if (where != where_ || what != what_)
            *this = RepeatGuard{};
        where_ = where;
        what_ = what;
        if (count_ == kLimit) {
            count_ = 0;
            return false;
        }
        ++count_;
        return true;
    }

private:
    u64 where_ = 0;
    u64 what_ = 0;
    u32 count_ = 0;
};

} // namespace sel4vm
