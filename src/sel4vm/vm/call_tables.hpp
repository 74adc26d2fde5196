// SPDX-License-Identifier: BSD-2-Clause
//
// Tables from identifier ranges to handlers: trapped system registers and hypercall functions. Filled while a VM is
// built, read-only afterwards, searched by bisection.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/vm/device.hpp>

#include <atomic>

namespace sel4vm {

enum class RegisterError : u8 {
    overlap,  ///< an identifier in the range has a handler already
    too_many, ///< the table is full
    empty,    ///< first > last
};

/// Handler of [first, last], both inclusive.
template <class Handler, usize Capacity>
class RangeTable {
public:
    [[nodiscard]] Status<RegisterError> add(u32 first, u32 last, Handler &handler) {
        if (first > last)
            return Err{RegisterError::empty};
        usize place = 0;
        while (place < rows_.size() && rows_[place].last < first)
            ++place;
        if (place < rows_.size() && rows_[place].first <= last)
            return Err{RegisterError::overlap};
        if (!rows_.insert(place, Row{first, last, &handler}))
            return Err{RegisterError::too_many};
        last_.store(&none_, std::memory_order_relaxed); // rows have moved
        return Ok{};
    }
    [[nodiscard]] Handler *find(u32 id) const {
        // Guests use the same few again and again, so the row of the last search is tried first. Executors may race on
        // it: any row is right there, because it is checked.
        const Row *row = last_.load(std::memory_order_relaxed);
        if (id >= row->first && id <= row->last) [[likely]]
            return row->handler;
        return search(id);
    }
    /// Calls `visit(handler)` for each range, in the order of identifiers.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const Row &row : rows_)
            visit(*row.handler);
    }

private:
    struct Row {
        u32 first = 1; // holds no identifier
        u32 last = 0;
        Handler *handler = nullptr;
    };

    [[nodiscard]] Handler *search(u32 id) const {
        const Row *row = rows_.begin();
        usize count = rows_.size();
        while (count > 0) {
            const usize half = count / 2;
            const Row &middle = row[half];
            if (id > middle.last) {
                row += half + 1;
                count -= half + 1;
            } else if (id < middle.first) {
                count = half;
            } else {
                last_.store(&middle, std::memory_order_relaxed);
                return middle.handler;
            }
        }
        return nullptr;
    }

    mutable std::atomic<const Row *> last_{&none_};
    Row none_;
    FixedVector<Row, Capacity> rows_;
};

using SystemRegisterTable = RangeTable<SystemRegisterHandler, 64>;
using HypercallTable = RangeTable<HypercallHandler, 32>;

} // namespace sel4vm
