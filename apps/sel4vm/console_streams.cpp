// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/console_streams.hpp>

namespace sel4vm::cli {
namespace {

constexpr usize kLongestHostLine = 4096;
constexpr char kCtrlA = '\x01';

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

void InputEnd::fed(std::string_view bytes) {
    if (!bytes.empty())
        line_open_ = bytes.back() != '\n' && bytes.back() != '\r';
}

std::string_view InputEnd::send() {
    const bool close_line = line_open_ && sent_ == 1;
    ++sent_;
    heard_.reset();
    return close_line ? "\n\x04" : "\x04";
}

void InputEnd::heard(Clock::time_point when) {
    if (sent_ > 0)
        heard_ = when;
}

std::optional<InputEnd::Clock::time_point> InputEnd::due() const {
    if (!heard_ || sent_ >= kMost)
        return std::nullopt;
    return *heard_ + kQuiet;
}

std::string last_complaint(std::string_view errors) {
    while (!errors.empty() && (errors.back() == '\n' || errors.back() == '\r'))
        errors.remove_suffix(1);
    if (const usize start = errors.rfind('\n'); start != std::string_view::npos)
        errors.remove_prefix(start + 1);
    if (const usize name = errors.find(": "); errors.starts_with("qemu-system") && name != std::string_view::npos)
        errors.remove_prefix(name + 2);
    constexpr usize kLongestComplaint = 200; // it may repeat an argument of any length
    return std::string(errors.substr(0, kLongestComplaint)) + (errors.size() > kLongestComplaint ? "..." : "");
}

} // namespace sel4vm::cli
