// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/console_switch.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::machine {

ByteSink *ConsoleSwitch::add(std::string_view name) {
    auto *port = std::find_if(ports_.begin(), ports_.end(), [](const Port &one) { return one.name.empty(); });
    if (port != ports_.end())
        port->name = name;
    else
        port = ports_.emplace_back(*this, name);
    if (port != nullptr && name == options_.input)
        focus_ = index_of(*port);
    return port;
}

usize ConsoleSwitch::index_of(const ByteSink &end) const {
    usize index = 0;
    while (&ports_[index] != &end)
        ++index;
    return index;
}

void ConsoleSwitch::connect(usize index, SerialPort &port) {
    if (ports_[index].receiver != nullptr)
        return;
    ports_[index].receiver = &port;
    port.set_listener(this);
}

bool ConsoleSwitch::prefixed() const {
    if (options_.prefix != LinePrefix::when_several)
        return options_.prefix == LinePrefix::always;
    return std::count_if(ports_.begin(), ports_.end(), [](const Port &one) { return !one.name.empty(); }) > 1;
}

void ConsoleSwitch::print(std::string_view text) {
    // SAFETY: chars are read as bytes.
    output_.put({reinterpret_cast<const u8 *>(text.data()), text.size()});
}

void ConsoleSwitch::interrupt_line() {
    if (line_of_ == nullptr)
        return;
    print("\r\n");
    line_of_ = nullptr;
}

void ConsoleSwitch::write_prefix(const Port &port) {
    if (line_of_ != &port)
        interrupt_line();
    if (line_of_ == nullptr && prefixed()) {
        print(port.name);
        print("| ");
    }
    line_of_ = &port;
}

void ConsoleSwitch::say(std::string_view text, std::string_view name) {
    LockGuard guard(lock_);
    interrupt_line();
    print(text);
    print(name);
    print("\r\n");
}

void ConsoleSwitch::write(const Port &port, std::span<const u8> bytes) {
    LockGuard guard(lock_);
    while (!bytes.empty()) {
        write_prefix(port);
        const auto end = std::find(bytes.begin(), bytes.end(), u8{'\n'});
        const bool whole = end != bytes.end();
        const usize count = static_cast<usize>(end - bytes.begin()) + (whole ? 1 : 0);
        output_.put(bytes.first(count));
        if (whole)
            line_of_ = nullptr;
        bytes = bytes.subspan(count);
    }
}

bool ConsoleSwitch::take_escape(u8 byte) {
    if (options_.escape == 0)
        return false;
    if (!escaped_) {
        escaped_ = byte == options_.escape;
        return escaped_;
    }
    escaped_ = false;
    if (byte == options_.escape) // twice: the byte itself
        return false;
    if (byte == 'p')
        press_button();
    if (byte >= '1' && byte < '1' + ports_.size() && !ports_[byte - usize{'1'}].name.empty()) {
        focus_ = byte - usize{'1'};
        say("console input to ", ports_[focus_].name);
    }
    return true;
}

void ConsoleSwitch::press_button() {
    if (focus_ >= ports_.size())
        return;
    const Port &port = ports_[focus_];
    say(port.button != nullptr ? "power button pressed: " : "there is no power button: ", port.name);
    if (port.button != nullptr)
        port.button->press();
}

void ConsoleSwitch::disconnect(usize index) {
    ports_[index].receiver = nullptr;
    ports_[index].button = nullptr;
    for (usize next = 0; focus_ == index && next < ports_.size(); ++next) {
        if (ports_[next].receiver != nullptr)
            focus_ = next;
    }
    pump();
}

void ConsoleSwitch::remove(usize index) {
    disconnect(index);
    exclusively([&] {
        if (line_of_ == &ports_[index])
            interrupt_line();
    });
    ports_[index].name = {};
}

void ConsoleSwitch::receive_space() {
    if (announcer_ != nullptr)
        announcer_->signal(badge_);
    else
        pump();
}

void ConsoleSwitch::pump() {
    // receive() may tell of space again from inside; one pump at a time is enough.
    if (pumping_)
        return;
    pumping_ = true;
    while (next_byte()) {
        SerialPort *receiver = focus_ < ports_.size() ? ports_[focus_].receiver : nullptr;
        const std::array<u8, 1> one{*held_};
        // A refusal is what makes the port tell us of room later.
        if (receiver == nullptr || receiver->receive(one) == 0)
            break;
        held_.reset();
    }
    pumping_ = false;
}

bool ConsoleSwitch::next_byte() {
    while (!held_) {
        u8 byte = 0;
        if (input_.read({&byte, 1}) == 0)
            return false;
        if (!take_escape(byte))
            held_ = byte;
    }
    return true;
}

} // namespace sel4vm::machine
