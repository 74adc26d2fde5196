// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/console_streams.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::cli {
namespace {

constexpr usize kLongestHostLine = 4096;
constexpr char kCtrlA = '\x01';

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Linux puts "[    1.234567] " before a message, with CONFIG_PRINTK_CALLER also "[    T1] ".
std::string_view without_stamp(std::string_view line) {
    while (line.size() > 2 && line.front() == '[') {
        const usize end = line.find(']');
        if (end == std::string_view::npos || end + 1 >= line.size() || line[end + 1] != ' ')
            break;
        const std::string_view inside = line.substr(1, end - 1);
        const bool stamp = std::all_of(inside.begin(), inside.end(), [](char c) {
            return is_digit(c) || c == ' ' || c == '.' || c == 'T' || c == 'C';
        });
        if (!stamp)
            break;
        line.remove_prefix(end + 2);
    }
    return line;
}

} // namespace

std::string LineDemux::take_line() {
    std::string line;
    line.swap(line_);
    if (!line.empty() && line.back() == '\r')
        line.pop_back();
    constexpr std::string_view kPrefix = "sel4vm: ";
    return line.starts_with(kPrefix) ? line.substr(kPrefix.size()) : line;
}

LineDemux::Output LineDemux::feed(std::string_view bytes) {
    Output out;
    for (const char c : bytes) {
        switch (state_) {
        case State::guest:
            if (c == kMark)
                state_ = State::marked;
            else
                out.guest += c;
            break;
        case State::marked:
            if (c == kMark) {
                out.guest += c;
                state_ = State::guest;
                break;
            }
            state_ = State::host;
            [[fallthrough]];
        case State::host:
            if (c == '\n' || line_.size() >= kLongestHostLine) {
                out.host_lines.push_back(take_line());
                state_ = State::guest;
            } else {
                line_ += c;
            }
            break;
        }
    }
    return out;
}

std::optional<std::string> LineDemux::finish() {
    state_ = State::guest;
    if (line_.empty())
        return std::nullopt;
    return take_line();
}

std::optional<PanicWatch::Panic> PanicWatch::judge(std::string_view line) const {
    Panic panic;
    for (const std::string &name : vms_) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with("| ")) {
            panic.vm = name;
            line.remove_prefix(name.size() + 2);
            break;
        }
    }
    constexpr std::string_view kPanic = "Kernel panic - not syncing";
    line = without_stamp(line);
    if (!line.starts_with(kPanic))
        return std::nullopt;
    line.remove_prefix(kPanic.size());
    while (!line.empty() && (line.front() == ':' || line.front() == ' '))
        line.remove_prefix(1);
    panic.reason = line.empty() ? "no reason given" : line;
    return panic;
}

std::optional<PanicWatch::Panic> PanicWatch::feed(std::string_view bytes) {
    for (const char c : bytes) {
        if (c != '\n') {
            if (line_.size() < kLongestLine && c != '\r')
                line_ += c;
            continue;
        }
        const std::string line = std::exchange(line_, {});
        auto panic = done_ ? std::nullopt : judge(line);
        if (panic) {
            done_ = true;
            return panic;
        }
    }
    return std::nullopt;
}

EscapeKeys::Input EscapeKeys::feed(std::string_view bytes) {
    Input out;
    for (const char c : bytes) {
        if (!escaped_) {
            if (c == kCtrlA)
                escaped_ = true;
            else
                out.bytes += c;
            continue;
        }
        escaped_ = false;
        switch (c) {
        case 'x': out.action = Action::quit; return out;
        case 'z': out.action = Action::suspend; return out;
        case 'h':
        case '?': out.action = Action::help; return out;
        case 'a':
        case kCtrlA: out.bytes += kCtrlA; break;
        default: out.bytes += c; break; // not ours: the key alone, as QEMU does
        }
    }
    return out;
}

} // namespace sel4vm::cli
