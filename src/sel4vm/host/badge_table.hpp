// SPDX-License-Identifier: BSD-2-Clause
//
// Whose the bits of a notification's badge are. Several sources signal one executor, each with bits of its own, and a badge has those of all that
// signalled since the last one. Whoever owns bits registers them here with its name, and a second owner of the same bit is refused.
//
// Threads: one, the executor's.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

#include <string_view>

namespace sel4vm {

class BadgeHandler {
public:
    /// `bits` of its own signalled; `message` as Event::message.
    virtual void signalled(u64 bits, u64 message) = 0;

protected:
    ~BadgeHandler() = default;
};

/// Why bits cannot be had.
struct BadgeConflict {
    std::string_view owner; ///< who has one of them; empty: there is no bit in them, or the table is full
};

class BadgeTable {
public:
    static constexpr usize kMaxOwners = 16;

    /// `bits` are `owner`'s from now on, whose name and handler outlive that. nullptr: bits that are never signalled, or told apart elsewhere.
    [[nodiscard]] Status<BadgeConflict> add(u64 bits, std::string_view owner, BadgeHandler *handler) {
        if (const auto other = owner_of(bits); !other.empty())
            return Err{BadgeConflict{other}};
        if (bits == 0 || rows_.emplace_back(Row{bits, owner, handler}) == nullptr)
            return Err{BadgeConflict{}};
        return Ok{};
    }
    /// These bits, as they were added, are nobody's any more.
    void remove(u64 bits) {
        for (usize i = rows_.size(); i-- > 0;)
            if (rows_[i].bits == bits)
                rows_.erase(i);
    }
    /// Who has the first of these bits that somebody has; empty: nobody has any.
    [[nodiscard]] std::string_view owner_of(u64 bits) const {
        for (const Row &row : rows_)
            if ((row.bits & bits) != 0)
                return row.owner;
        return {};
    }
    /// Calls the owners of the badge's bits. What is left is nobody's.
    [[nodiscard]] u64 dispatch(u64 badge, u64 message) {
        u64 left = badge;
        for (usize i = 0; i < rows_.size() && left != 0; ++i) {
            const Row row = rows_[i]; // the table may change meanwhile
            if (row.handler == nullptr || (row.bits & left) == 0)
                continue;
            const u64 bits = row.bits & left;
            left &= ~row.bits;
            row.handler->signalled(bits, message);
        }
        return left;
    }

private:
    struct Row {
        u64 bits;
        std::string_view owner;
        BadgeHandler *handler;
    };
    FixedVector<Row, kMaxOwners> rows_;
};

} // namespace sel4vm
