// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/program/host.hpp>

#include <algorithm>

namespace sel4vm::program {

// ---------------------------------------------------------------- the console and the log

void Host::Line::put(std::span<const u8> bytes) { vm_host_console_put(environment, bytes.data(), bytes.size()); }

usize Host::Line::read(std::span<u8> out) { return vm_host_console_get(environment, out.data(), out.size()); }

void Host::GuardedLog::line(LogLevel level, std::string_view source, std::string_view text) {
    host.consoles_.interrupt_line();
    host.objects_.binding().log().line(level, source, text);
}

void Host::listen_to_console() {
    if (listens_)
        return;
    listens_ = true;
    if (vm_host_console_listen(environment_, kConsoleBadge) != 0)
        log().line(LogLevel::warning, "host", "the console of this host has no input, or it is taken");
}

// ---------------------------------------------------------------- opening and closing

Status<HostError> Host::open() {
    if (environment_ != nullptr)
        return Err{HostError{HostErrorKind::busy}};
    if (vm_host_open(&own_) != 0)
        return Err{HostError{HostErrorKind::failed}};
    const auto opened = open(own_);
    if (!opened)
        vm_host_close(&own_);
    return opened;
}

Status<HostError> Host::open(vm_host_t &environment, const capi::BindingOptions &options) {
    if (environment_ != nullptr)
        return Err{HostError{HostErrorKind::busy}};
    if (const auto opened = objects_.open(environment, nullptr, options); !opened) {
        capi::host_log().line(LogLevel::error, "host", "it could not make what VMs share");
        return opened;
    }
    environment_ = &environment;
    line_.environment = &environment;
    executor_.emplace(events(), clock(), static_cast<ExecutorListener &>(*this));
    return Ok{};
}

Host::~Host() {
    executor_.reset();
    objects_.close();
    if (environment_ == &own_)
        vm_host_close(&own_);
}

std::optional<std::span<const u8>> Host::file(std::string_view name) {
    std::array<char, 256> terminated{};
    if (name.size() >= terminated.size())
        return std::nullopt;
    name.copy(terminated.data(), name.size());
    const void *bytes = nullptr;
    size_t size = 0;
    if (vm_host_file(environment_, terminated.data(), &bytes, &size) != 0)
        return std::nullopt;
    return std::span{static_cast<const u8 *>(bytes), size};
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
    leave_ = !any_started();
    static_cast<void>(executor_->run_until(leave_));
    executor_->flush();
}

void Host::notification(u64 badge, u64 message) {
    if ((badge & kConsoleBadge) != 0)
        consoles_.pump();
    if (badge != kConsoleBadge && listener_ != nullptr)
        listener_->notification(badge & ~kConsoleBadge, message);
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

} // namespace sel4vm::program
