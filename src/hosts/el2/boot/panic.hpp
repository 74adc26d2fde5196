// SPDX-License-Identifier: BSD-2-Clause
//
// The end of the host: says why on the console and leaves the machine with a failure. Takes no locks and no memory. The first CPU to panic
// stops the others and speaks alone. On a marked console (docs/console.md) its lines are marked like all lines of the host.
#pragma once

#include <hosts/el2/platform/console.hpp>

#include <atomic>
#include <string_view>

namespace sel4vm::el2 {

struct CpuLocal;

enum class PanicLines : u8 { plain, marked };

class PanicPrinter {
public:
    PanicPrinter(Console &console, PsciConduit psci, PanicLines lines)
        : console_(console), psci_(psci), lines_(lines) {}
    PanicPrinter(const PanicPrinter &) = delete;
    PanicPrinter &operator=(const PanicPrinter &) = delete;

    /// Whose panic it is: that of the first CPU that asks.
    enum class Turn : u8 { first, again, another_cpu };
    [[nodiscard]] Turn take(const CpuLocal &cpu);
    /// Somebody has.
    [[nodiscard]] bool is_taken() const { return cpu_.load(std::memory_order_relaxed) != nullptr; }

    void print(std::string_view text);
    /// Ends whatever line somebody had begun.
    void begin();
    /// The last line: the status of the run, where somebody reads marks; then waits until all is out.
    void end(u64 status);
    [[nodiscard]] PsciConduit psci() const { return psci_; }

    /// What the application adds to a panic: called once, at its end.
    class Report {
    public:
        virtual void print(PanicPrinter &printer) = 0;

    protected:
        ~Report() = default;
    };
    /// nullptr: nothing more to say. `report` outlives its use here.
    void set_report(Report *report) { report_ = report; }
    [[nodiscard]] Report *report() const { return report_; }

private:
    Console &console_;
    PsciConduit psci_;
    PanicLines lines_;
    std::atomic<const CpuLocal *> cpu_{nullptr};
    Report *report_ = nullptr;
    bool at_start_ = true; ///< of a line
};

/// The host cannot run here: one line, and the end. For what a user can mend; panic() is for bugs.
[[noreturn]] void give_up(std::string_view why);

} // namespace sel4vm::el2
