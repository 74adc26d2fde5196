// SPDX-License-Identifier: BSD-2-Clause
//
// Tables from identifier ranges to handlers: trapped system registers and hypercall functions. Filled while a VM is
// built, read-only afterwards, searched by bisection.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/vm/device.hpp>

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
        return Ok{};
    }
    [[nodiscard]] Handler *find(u32 id) const {
        usize low = 0;
        usize high = rows_.size();
        while (low < high) {
            const usize middle = (low + high) / 2;
            const Row &row = rows_[middle];
            if (id < row.first)
                high = middle;
            else if (id > row.last)
                low = middle + 1;
            else
                return row.handler;
        }
        return nullptr;
    }
    /// Calls `visit(handler)` for each range, in the order of identifiers.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const Row &row : rows_)
            visit(*row.handler);
    }

private:
    struct Row {
        u32 first = 0;
        u32 last = 0;
        Handler *handler = nullptr;
    };
    FixedVector<Row, Capacity> rows_;
};

using SystemRegisterTable = RangeTable<SystemRegisterHandler, 64>;
using HypercallTable = RangeTable<HypercallHandler, 32>;

} // namespace sel4vm
