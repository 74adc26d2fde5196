// SPDX-License-Identifier: BSD-2-Clause
//
// The Arm True Random Number Generator firmware interface 1.0 (Arm DEN 0098), fed by the host's entropy. On a host without
// entropy it is absent: register_all() leaves its calls to the policy for unknown ones (NOT_SUPPORTED).
// An entropy source that fails later makes a call answer NO_ENTROPY.
//
// Threads: as the Entropy port; the object itself never changes.
#pragma once

#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/call_tables.hpp>

namespace sel4vm::dev {

class FirmwareCall;

class Trng final : public HypercallHandler {
public:
    explicit Trng(Entropy &entropy) : entropy_(entropy) {}

    /// Registers where the host has entropy; ok without doing anything where not.
    [[nodiscard]] Status<RegisterError> register_all(HypercallTable &table);
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

private:
    [[nodiscard]] Answer features(const FirmwareCall &call) const;
    [[nodiscard]] Answer uuid(const FirmwareCall &call) const;
    [[nodiscard]] Answer random(const FirmwareCall &call, unsigned word_bits);
    Entropy &entropy_;
};

} // namespace sel4vm::dev
