// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/el2/program.hpp>

#include <algorithm>

namespace sel4vm::el2 {

namespace {

std::span<const u8> bytes_of(std::string_view text) {
    // SAFETY: characters are bytes.
    return {reinterpret_cast<const u8 *>(text.data()), text.size()};
}

} // namespace

Program::Program(Host &host)
    : host_(host), mode_(host.has_bootarg("console=marked") ? LineMode::marked : LineMode::plain),
      log_(host.console(), mode_), output_(host.console(), mode_) {
    log_.set_other(this);
    CpuLocal::current()->program = this;
    images_.open(host_, log_);
    const machine::SystemDescription *const system = images_.system();
    if (system == nullptr)
        return;
    log_.set_level(system->log_level);
    slice_microseconds_ = system->time_slice_us;
    if (system->exit_method == machine::ExitMethod::semihosting)
        host_.set_exit_method(ExitMethod::semihosting);
}

void Program::set_console_listener(Endpoint *endpoint, u64 badge) {
    if (console_listener_ != nullptr)
        console_listener_->remove_signal_source();
    console_listener_ = endpoint;
    if (endpoint == nullptr)
        return host_.console().ignore();
    endpoint->add_signal_source();
    host_.console().listen(host_.interrupts(), endpoint->signal_port(), badge);
}

Status<HostError> Program::listen(Endpoint &endpoint, u64 badge) {
    if (!host_.platform().uart.irq)
        return Err{HostError{HostErrorKind::not_available}};
    if (console_listener_ != nullptr)
        return Err{HostError{HostErrorKind::busy}};
    set_console_listener(&endpoint, badge);
    return Ok{};
}

void Program::put(std::span<const u8> bytes) {
    output_.put(bytes);
    if (!bytes.empty())
        last_ = static_cast<char>(bytes.back());
}

void Program::print(std::string_view text) {
    while (!text.empty()) {
        const usize end = std::min(text.find('\n'), text.size());
        if (end != 0) {
            output_.put(bytes_of(text.substr(0, end)));
            last_ = text[end - 1];
        }
        if (end == text.size())
            return;
        output_.put(bytes_of(last_ == '\r' ? "\n" : "\r\n"));
        last_ = '\n';
        text.remove_prefix(end + 1);
    }
}

void Program::end_line() {
    if (last_ != '\n')
        print("\n");
}

void Program::exit(int status) {
    const auto said = static_cast<u8>(status);
    log_.exit_status(said);
    // As apps/vmm does: where the console has said the status, switching off is enough.
    const machine::SystemDescription *const system = images_.system();
    const bool by_psci = system == nullptr || system->exit_method == machine::ExitMethod::psci;
    host_.exit(mode_ == LineMode::marked && by_psci ? 0 : status);
}

} // namespace sel4vm::el2
