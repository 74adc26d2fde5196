// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/program/host.hpp>

#include <sel4vm/program/linked_host.hpp>

#include <algorithm>

namespace sel4vm::program {

// ---------------------------------------------------------------- the console and the log

void Host::Line::put(std::span<const u8> bytes) { host->put(bytes); }

usize Host::Line::read(std::span<u8> out) { return host->read(out); }

void Host::GuardedLog::line(LogLevel level, std::string_view source, std::string_view text) {
    host.consoles_.interrupt_line();
    host.host_->log().line(level, source, text);
}

void Host::listen_to_console() {
    if (listens_)
        return;
    listens_ = true;
    if (!host_->listen(kConsoleBadge))
        log().line(LogLevel::warning, "host", "the console of this host has no input, or it is taken");
}

// ---------------------------------------------------------------- opening and closing

Host::Host(const machine::ConsoleOptions &console) : consoles_(line_, line_, console) {
    const bool added = signals_.add(kConsoleBadge, "the console", this).has_value();
    SEL4VM_ASSERT(added); // the first
}

Status<HostError> Host::open() {
    if (host_ != nullptr)
        return Err{HostError{HostErrorKind::busy}};
    aarch64::ProgramHost *const host = SEL4VM_TRY(open_linked_host());
    linked_ = true;
    return open(*host);
}

Status<HostError> Host::open(aarch64::ProgramHost &host) {
    if (host_ != nullptr)
        return Err{HostError{HostErrorKind::busy}};
    host_ = &host;
    line_.host = &host;
    shared_.emplace(allocator(), host.shared_ram());
    networks_.emplace(allocator(), host.clock());
    executor_.emplace(events(), clock(), static_cast<ExecutorListener &>(*this));
    return Ok{};
}

Host::~Host() {
    executor_.reset();
    networks_.reset();
    shared_.reset();
    if (linked_)
        close_linked_host(*host_);
}

// ---------------------------------------------------------------- guests

Result<Owned<Guest>, machine::BuildError> Host::make_guest(const machine::MachineDescription &description,
                                                           const GuestOptions &options) {
    auto guest = Owned<Guest>::make(allocator(), *this);
    if (!guest)
        return Err{machine::build_error("", "the host has not enough memory left")};
    if (const auto built = guest->build(description, options); !built)
        return Err{built.error()};
    return guest;
}

// A guest that was made and not started has nothing to say: some hosts would wait for it for ever.
bool Host::any_started() const {
    return std::any_of(guests_.begin(), guests_.end(), [](Guest *guest) {
        return guest != nullptr && guest->vm().state() != VmState::built && guest->vm().state() != VmState::stopped;
    });
}

void Host::run() {
    SEL4VM_ASSERT(!running_); // not from inside itself
    leave_ = !any_started();
    running_ = true;
    static_cast<void>(executor_->run_until(leave_));
    running_ = false;
    executor_->flush();
}

void Host::forget(Guest &guest) {
    Vm &vm = guest.vm();
    SEL4VM_ASSERT(!running_ || !executor_->is_serving(vm)); // its handler would return into what is gone
    if (!running_)
        executor_->flush();
    guests_[vm.id().value()] = nullptr;
    executor_->remove(vm);
    leave_ = !any_started();
}

void Host::notification(u64 badge, u64 message) {
    const u64 left = signals_.dispatch(badge, message);
    if ((left != 0 || badge == 0) && listener_ != nullptr)
        listener_->notification(left, message);
}

void Host::signalled(u64, u64) { consoles_.pump(); }

bool Host::own_signals(u64 bits, std::string_view owner, BadgeHandler &handler) {
    const auto added = signals_.add(bits, owner, &handler);
    if (added)
        return true;
    Text<200> text;
    text << "signals " << Hex{bits} << " cannot be " << owner << "'s: ";
    if (added.error().owner.empty())
        text << "there is no bit in them, or there are too many owners";
    else
        text << "one of them is " << added.error().owner << "'s";
    log().line(LogLevel::error, "host", text.view());
    return false;
}

void Host::vm_stopped(Vm &vm) {
    const StopReason reason = vm.stop_reason();
    if (reason != StopReason::powered_off && reason != StopReason::reset && reason != StopReason::client) {
        Text<300> text;
        text << "stopped: " << to_string(reason);
        if (!vm.stop_detail().empty())
            text << ": " << vm.stop_detail();
        log().line(LogLevel::error, vm.name(), text.view());
    }
    guests_[vm.id().value()]->disconnect_console();
    if (listener_ != nullptr)
        listener_->vm_stopped(vm);
    leave_ = !any_started();
}

void Host::vm_restarted(Vm &vm) {
    guests_[vm.id().value()]->reconnect_console();
    if (listener_ != nullptr)
        listener_->vm_restarted(vm);
    leave_ = !any_started();
}

} // namespace sel4vm::program
