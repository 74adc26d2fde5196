// SPDX-License-Identifier: BSD-2-Clause
//
// The bundle that came with a C or C++ program: what its system file says of the host, and files, which are the images of the first VM, by
// what they are (kernel, initrd, dtb, ...) or by the name of the file that was packed. They are where the boot loader put them, for good.
#pragma once

#include <hosts/el2/host.hpp>

#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/machine/description.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::el2 {

class BundleImages {
public:
    /// Reads the host's bundle; not while a guest's SIMD registers are in the CPU. A host without one has no images; one that cannot
    /// be read is said in the log.
    void open(Host &host, Log &log);
    [[nodiscard]] std::optional<std::span<const u8>> find(std::string_view name) const;
    /// What the system file says; nullptr when there is no bundle that could be read.
    [[nodiscard]] const machine::SystemDescription *system() const { return system_.get(); }

private:
    Owned<machine::SystemDescription> system_;
    std::optional<boot::Bundle> bundle_;
};

} // namespace sel4vm::el2
