// SPDX-License-Identifier: BSD-2-Clause
//
// The host of a program in C++: one object that opens the host that was linked, or is given one, has its services, and runs the guests made on it
// (program/guest.hpp). The same source runs on every host; docs/adr/0010 says how.
//
// Threads: one, which is inside run() while guests run.
#pragma once

#include <sel4vm/host/badge_table.hpp>
#include <sel4vm/machine/console_switch.hpp>
#include <sel4vm/machine/networks.hpp>
#include <sel4vm/machine/shared_memories.hpp>
#include <sel4vm/program/guest.hpp>
#include <sel4vm/program/host_objects.hpp>
#include <sel4vm/vm/executor.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::program {

/// The badge bit of console input; a program's own signals use others.
inline constexpr u64 kConsoleBadge = u64{1} << 61;

class Host final : private ExecutorListener, private BadgeHandler {
public:
    /// `console`: how guests share the host's console.
    explicit Host(const machine::ConsoleOptions &console = {});
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;
    /// All guests are gone.
    ~Host();

    /// Opens the linked host (program/linked_host.hpp), once in a program. An error says in the host's log what is lacking.
    [[nodiscard]] Status<HostError> open();
    /// Uses this one, which outlives it.
    [[nodiscard]] Status<HostError> open(aarch64::ProgramHost &host);

    // -- services; valid once it is open
    [[nodiscard]] Allocator &allocator() { return host_->allocator(); }
    [[nodiscard]] Log &log() { return log_; }
    [[nodiscard]] Clock &clock() { return host_->clock(); }
    [[nodiscard]] Entropy &entropy() { return host_->entropy(); }
    [[nodiscard]] EventPort &events() { return host_->events(); }
    [[nodiscard]] Executor &executor() { return *executor_; }
    [[nodiscard]] aarch64::GicSupport gic() { return host_->gic(); }
    /// The newest that guests may have here.
    [[nodiscard]] machine::GicVersion gic_version() {
        return gic().v3 ? machine::GicVersion::v3 : machine::GicVersion::v2;
    }
    /// A file that came with the program, by name, where it is for good.
    [[nodiscard]] std::optional<std::span<const u8>> file(std::string_view name) { return host_->file(name); }

    /// A guest that is ready to be started; on an error nothing of it stays. Also from inside run(): then while others run.
    [[nodiscard]] Result<Owned<Guest>, machine::BuildError> make_guest(const machine::MachineDescription &description,
                                                                       const GuestOptions &options = {});

    /// Signals with these badge bits are `owner`'s from now on; name and handler outlive that. False: somebody has one of them; the log says who.
    [[nodiscard]] bool own_signals(u64 bits, std::string_view owner, BadgeHandler &handler);
    /// Who hears signals that nobody owns, and which VMs have stopped or were reset; nullptr: nobody. It outlives the runs.
    void set_listener(ExecutorListener *listener) { listener_ = listener; }
    /// Runs the guests that were started, until each has stopped, or nothing can happen any more. One that was reset since it stopped runs again.
    void run();

private:
    friend class Guest;
    [[nodiscard]] bool any_started() const;
    /// It is about to be destroyed.
    void forget(Guest &guest);

    /// The host's console.
    struct Line final : ByteSink, ByteSource {
        void put(std::span<const u8> bytes) override;
        [[nodiscard]] usize read(std::span<u8> out) override;
        [[nodiscard]] InputFlow flow() const override { return host->input_flow(); }
        aarch64::ProgramHost *host = nullptr;
    };
    /// The host's log, with what a guest has not finished on the same line ended first.
    struct GuardedLog final : Log {
        explicit GuardedLog(Host &its_host) : host(its_host) {}
        void line(LogLevel level, std::string_view source, std::string_view text) override;
        Host &host;
    };

    void listen_to_console();
    void signalled(u64 bits, u64 message) override; // of the console

    // ExecutorListener
    void notification(u64 badge, u64 message) override;
    void vm_stopped(Vm &vm) override;
    void vm_restarted(Vm &vm) override;

    aarch64::ProgramHost *host_ = nullptr;
    bool linked_ = false; // host_ is the one that open() opened
    Line line_;
    GuardedLog log_{*this};
    machine::ConsoleSwitch consoles_;
    std::optional<machine::SharedMemories> shared_;
    std::optional<machine::Networks> networks_;
    std::optional<Executor> executor_;
    std::array<Guest *, Executor::kMaxVms> guests_{}; // by the VM's identifier
    bool leave_ = false;                              // run() has nothing more to do
    bool running_ = false;                            // inside of run()
    ExecutorListener *listener_ = nullptr;
    bool listens_ = false;
    BadgeTable signals_;
};

} // namespace sel4vm::program
