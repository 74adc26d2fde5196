// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/fault_policy.hpp>

namespace sel4vm {

const char *to_string(Mistake mistake) {
    switch (mistake) {
    case Mistake::unmapped_access: return "access to unmapped memory";
    case Mistake::bad_device_access: return "access that the device refuses";
    case Mistake::read_only_write: return "write to read-only memory";
    case Mistake::fetch_from_device: return "instruction fetch from a device";
    case Mistake::unemulatable_access: return "device access by an instruction that cannot be emulated";
    case Mistake::unknown_system_register: return "access to an unknown system register";
    case Mistake::unknown_hypercall: return "unknown hypercall";
    case Mistake::undefined_instruction: return "undefined instruction";
    case Mistake::debug_exception: return "debug exception";
    case Mistake::unknown_exit: return "unknown exit";
    case Mistake::count_: break;
    }
    return "?";
}

} // namespace sel4vm
