// SPDX-License-Identifier: BSD-2-Clause
//
// A register lies inside its device's range, aligned.
// EXPECT: register_row_is_misaligned_or_outside_the_window
#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {
struct Device {
    u32 value() const { return 0; }
    void set_value(u32) {}
    struct Registers;
};
struct Device::Registers {
    static constexpr auto kBank = register_bank<Device, 0x100>(std::array{
        reg<Device, &Device::value, &Device::set_value>("FIRST", 0x10),
#ifdef SEL4VM_MUST_FAIL
        reg<Device, &Device::value, nullptr>("SECOND", 0x100),
#else
        reg<Device, &Device::value, nullptr>("SECOND", 0xfc),
#endif
    });
};
usize use() { return Device::Registers::kBank.rows().size(); }
} // namespace sel4vm::dev
