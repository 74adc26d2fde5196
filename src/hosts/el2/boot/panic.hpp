// SPDX-License-Identifier: BSD-2-Clause
//
// The end of the host: says why on the console and leaves the machine with a failure. Takes no locks and no memory.
#pragma once

#include <hosts/el2/platform/console.hpp>

#include <string_view>

namespace sel4vm::el2 {

class PanicPrinter {
public:
    PanicPrinter(Console &console, PsciConduit psci) : console_(console), psci_(psci) {}
    [[nodiscard]] Console &console() { return console_; }
    [[nodiscard]] PsciConduit psci() const { return psci_; }

private:
    Console &console_;
    PsciConduit psci_;
};

/// The host cannot run here: one line, and the end. For what a user can mend; panic() is for bugs.
[[noreturn]] void give_up(std::string_view why);

} // namespace sel4vm::el2
