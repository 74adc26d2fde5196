// SPDX-License-Identifier: BSD-2-Clause
//
// What an executed guest sees of memory: where the page of a guest-physical address leads.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/host/guest_space_port.hpp>

#include <optional>

namespace sel4vm::fake {

class GuestMemory {
public:
    struct Page {
        u64 phys; ///< of RAM: where this process sees it
        Protection protection;
        bool device;
    };
    /// The page that holds `at`, if one is mapped.
    [[nodiscard]] virtual std::optional<Page> look_up(Gpa at) const = 0;

protected:
    ~GuestMemory() = default;
};

} // namespace sel4vm::fake
