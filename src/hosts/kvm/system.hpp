// SPDX-License-Identifier: BSD-2-Clause
//
// /dev/kvm, and whether this machine can do what the host needs. What it cannot is said in one sentence with the remedy.
#pragma once

#include <hosts/kvm/file.hpp>
#include <hosts/kvm/gic.hpp>

#include <string>
#include <string_view>

namespace sel4vm::kvm {

/// What opening found, as numbers; explain() makes the sentence.
struct Findings {
    std::string_view machine;   ///< as uname says it
    int open_error = 0;         ///< errno of /dev/kvm
    int api_version = 0;        ///< of those that opened
    std::string_view lacking{}; ///< a capability
};

/// Empty: nothing is wrong.
[[nodiscard]] std::string explain(const Findings &findings);

class System {
public:
    System() = default;

    /// Once. An error is a sentence for people.
    [[nodiscard]] std::string open();

    [[nodiscard]] const File &kvm() const { return kvm_; }
    [[nodiscard]] bool has(GicVersion version) const { return version == GicVersion::v2 ? has_v2_ : has_v3_; }
    [[nodiscard]] u32 memory_slots() const { return memory_slots_; }
    [[nodiscard]] u32 max_vcpus() const { return max_vcpus_; }

    /// A VM without anything in it.
    [[nodiscard]] Result<File, HostError> make_vm() const;

private:
    [[nodiscard]] std::string_view find_lacking();

    File kvm_;
    bool has_v2_ = false;
    bool has_v3_ = false;
    u32 memory_slots_ = 0;
    u32 max_vcpus_ = 0;
};

/// Guest-physical address bits of every VM: KVM's default on AArch64.
inline constexpr unsigned kAddressBits = 40;

} // namespace sel4vm::kvm
