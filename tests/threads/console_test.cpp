// SPDX-License-Identifier: BSD-2-Clause
//
// One console, written to by guests of several executors and by the host.
#include <sel4vm/machine/console_switch.hpp>

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace sel4vm::test {
namespace {

/// Not safe by itself.
struct Screen final : ByteSink {
    void put(std::span<const u8> bytes) override { text.append(bytes.begin(), bytes.end()); }
    std::string text;
};

struct Silence final : ByteSource {
    usize read(std::span<u8>) override { return 0; }
};

TEST(ConsoleOfSeveralExecutors, LinesOfGuestsAndOfTheHostStayWhole) {
    constexpr usize kGuests = 3;
    constexpr usize kLines = 500;
    Screen screen;
    Silence silence;
    machine::ConsoleSwitch consoles(screen, silence, {}, LockMode::spin);
    std::vector<ByteSink *> ends;
    const std::vector<std::string> names{"a", "b", "c"};
    for (const std::string &name : names)
        ends.push_back(consoles.add(name));

    std::vector<std::thread> guests;
    for (usize guest = 0; guest < kGuests; ++guest)
        guests.emplace_back([&, guest] {
            const std::string line(40, names[guest][0]);
            for (usize n = 0; n < kLines; ++n) {
                const std::string whole = line + "\n";
                ends[guest]->put({reinterpret_cast<const u8 *>(whole.data()), whole.size()});
            }
        });
    for (usize n = 0; n < kLines; ++n)
        consoles.exclusively([&] {
            consoles.interrupt_line();
            screen.text += "host: ";
            screen.text += "one line\n";
        });
    for (std::thread &guest : guests)
        guest.join();

    usize counts[kGuests + 1] = {};
    for (usize at = 0; at < screen.text.size();) {
        const usize end = screen.text.find('\n', at);
        const std::string line = screen.text.substr(at, end - at);
        at = end + 1;
        if (line == "host: one line")
            ++counts[kGuests];
        for (usize guest = 0; guest < kGuests; ++guest)
            counts[guest] += line == names[guest] + "| " + std::string(40, names[guest][0]) ? 1U : 0U;
    }
    for (const usize count : counts)
        EXPECT_EQ(count, kLines);
}

} // namespace
} // namespace sel4vm::test
