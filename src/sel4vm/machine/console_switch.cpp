// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/console_switch.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::machine {

ByteSink *ConsoleSwitch::add(std::string_view name) {
    auto *port = std::find_if(ports_.begin(), ports_.end(), [](const Port &one) { return one.name.empty(); });
    if (port != ports_.end()) {
        port->name = name;
        port->stopped = false;
    } else {
        port = ports_.emplace_back(*this, name);
    }
    if (port != nullptr && name == options_.input)
        focus_ = chosen_ = index_of(*port);
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

void ConsoleSwitch::say(std::string_view before, std::string_view name, std::string_view after) {
    LockGuard guard(lock_);
    interrupt_line();
    print(before);
    print(name);
    print(after);
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
    else if (byte >= '1' && byte < '1' + ports_.size() && !ports_[byte - usize{'1'}].name.empty())
        choose(byte - usize{'1'});
    else if (commands_ != nullptr && chosen_ < ports_.size())
        pass_on(byte);
    return true;
}

void ConsoleSwitch::pass_on(u8 key) {
    constexpr std::string_view kKeys = "lhgrkiq"; // in the order of ConsoleCommand
    static_assert(static_cast<usize>(ConsoleCommand::quit) == 6);
    const usize found = kKeys.find(static_cast<char>(key));
    if (found != std::string_view::npos)
        return commands_->asked(static_cast<ConsoleCommand>(found), chosen_);
    say("a number: input to that VM; l: list VMs; q: quit. Of VM ", ports_[chosen_].name,
        ": p power button, h hold, g go on, r reset, k stop, i statistics");
}

void ConsoleSwitch::choose(usize index) {
    chosen_ = index;
    if (ports_[index].stopped)
        return say("VM ", ports_[index].name, " has stopped");
    focus_ = index;
    say("console input to ", ports_[index].name);
}

void ConsoleSwitch::press_button() {
    if (chosen_ >= ports_.size())
        return;
    const Port &port = ports_[chosen_];
    if (port.stopped)
        return say("VM ", port.name, " has stopped");
    say(port.button != nullptr ? "power button pressed: " : "there is no power button: ", port.name);
    if (port.button != nullptr)
        port.button->press();
}

void ConsoleSwitch::disconnect(usize index) {
    Port &port = ports_[index];
    port.stopped = true;
    for (usize next = 0; focus_ == index && next < ports_.size(); ++next) {
        if (takes_input(next))
            focus_ = next;
    }
    // What was typed was meant for it; what comes from a program goes on to the next.
    if (!reads_ahead() && focus_ != index && !port.ahead.empty())
        keep(ports_[focus_], port.ahead.front());
    port.ahead = {};
    if (chosen_ == index)
        chosen_ = focus_;
    pump();
}

void ConsoleSwitch::reconnect(usize index) {
    if (!ports_[index].stopped)
        return;
    ports_[index].stopped = false;
    if (chosen_ == index || focus_ >= ports_.size() || !takes_input(focus_))
        focus_ = index;
    pump();
}

void ConsoleSwitch::remove(usize index) {
    disconnect(index);
    ports_[index].receiver = nullptr;
    ports_[index].button = nullptr;
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
    for (Port &port : ports_)
        deliver(port);
    while (focus_ < ports_.size()) {
        deliver(ports_[focus_]);
        if (!ports_[focus_].ahead.empty() && !reads_ahead())
            break;
        u8 byte = 0;
        if (input_.read({&byte, 1}) == 0)
            break;
        if (!take_escape(byte))
            keep(ports_[focus_], byte);
    }
    pumping_ = false;
}

void ConsoleSwitch::deliver(Port &port) {
    while (!port.stopped && port.receiver != nullptr && !port.ahead.empty()) {
        const std::array<u8, 1> one{port.ahead.front()};
        // A refusal is what makes the port tell us of room later.
        if (port.receiver->receive(one) == 0)
            return;
        port.ahead.pop();
        port.drops = false;
    }
}

void ConsoleSwitch::keep(Port &port, u8 byte) {
    if (port.ahead.push(byte) || port.drops)
        return;
    port.drops = true;
    say("VM ", port.name, " takes no input: it is lost");
}

} // namespace sel4vm::machine
