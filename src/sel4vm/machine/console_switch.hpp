// SPDX-License-Identifier: BSD-2-Clause
//
// One console for several VMs. Output of each goes out at once; where another VM's line is not finished it is ended first,
// and lines are marked with the VM's name when asked. Input goes to one VM at a time; an escape byte and a digit move it,
// and the byte and a 'p' press that VM's power button. Other keys are passed on to whoever runs the VMs (ConsoleCommands).
// One byte at a time is taken from the source, and the next only when the receiving port took it, so nothing is lost. A person (InputFlow::typed) with an
// escape byte must be heard whatever a guest does: there the source is always read to its end, and what a VM does not take yet waits
// here, kAheadBytes at most; what is beyond is dropped, and said.
//
// Threads: output (what add() gave, exclusively()) from any; everything else on one executor. Where VMs run on several, that one is told of
// room for input by an announcer.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/vm/power_button.hpp>
#include <sel4vm/vm/serial_port.hpp>

#include <array>

namespace sel4vm::machine {

/// What the escape byte and a key ask of whoever runs the VMs.
enum class ConsoleCommand : u8 { list, pause, resume, reset, stop, statistics, quit };

class ConsoleCommands {
public:
    /// `vm`: the number of the VM that was chosen last, which has the input unless it has stopped. On the executor that pumps, perhaps inside a guest's access: what takes a lock of a VM is done later.
    virtual void asked(ConsoleCommand command, usize vm) = 0;

protected:
    ~ConsoleCommands() = default;
};

class ConsoleSwitch final : private ReceiveListener {
public:
    static constexpr usize kAheadBytes = 512; ///< of typed input, for each VM

    ConsoleSwitch(ByteSink &output, ByteSource &input, const ConsoleOptions &options, LockMode locks = LockMode::none)
        : output_(output), input_(input), options_(options), lock_(LockRank::host, locks) {}
    ConsoleSwitch(const ConsoleSwitch &) = delete;
    ConsoleSwitch &operator=(const ConsoleSwitch &) = delete;

    /// The end of the console that VM `name` writes to, or nullptr when there are kMaxVms already. `name` outlives this.
    /// All are made before the first byte is written: the number decides about prefixes.
    [[nodiscard]] ByteSink *add(std::string_view name);
    /// The number of what add() gave: they count from 0, and a number that was removed is given again.
    [[nodiscard]] usize index_of(const ByteSink &end) const;
    /// The port that receives input of the VM added as number `index`. The first one of a VM counts.
    void connect(usize index, SerialPort &port);
    /// The button that the escape byte and a 'p' press while the input goes to that VM.
    void connect(usize index, PowerButton &button) { ports_[index].button = &button; }

    /// Who is asked; nullptr: nobody, and the keys mean nothing.
    void set_commands(ConsoleCommands *commands) { commands_ = commands; }
    /// A line of whoever runs the VMs.
    void tell(std::string_view text) { say(text, {}); }

    /// The VM has stopped: its input moves on to the next one.
    void disconnect(usize index);
    /// It runs again: what it had may be given to it again, and the input is its own when it was chosen last, or nobody else takes any.
    void reconnect(usize index);
    [[nodiscard]] bool has_input(usize index) const { return index == focus_; }
    /// As disconnect(), and it never writes again.
    void remove(usize index);

    /// Whoever gets told that pump() is to be called, from any thread and inside a guest's access; nullptr: nobody, pump() is called at once.
    void set_announcer(EventPort *port, u64 badge) {
        announcer_ = port;
        badge_ = badge;
    }
    /// Moves input as far as the receiving port takes it. Call when the source announces input.
    void pump();
    /// Calls `print`, which writes to the output by itself, while nobody else writes there.
    template <class Print>
    void exclusively(Print &&print) {
        LockGuard guard(lock_);
        print();
    }
    /// The host is about to print a line of its own, and is inside exclusively() where others may write: an unfinished guest line is ended.
    void interrupt_line();

private:
    /// A ring of bytes that were read ahead.
    class Ahead {
    public:
        [[nodiscard]] bool empty() const { return count_ == 0; }
        [[nodiscard]] u8 front() const { return bytes_[first_]; }
        void pop() {
            first_ = (first_ + 1) % kAheadBytes;
            --count_;
        }
        /// False when it is full.
        [[nodiscard]] bool push(u8 byte) {
            if (count_ == kAheadBytes)
                return false;
            bytes_[(first_ + count_++) % kAheadBytes] = byte;
            return true;
        }

    private:
        std::array<u8, kAheadBytes> bytes_{};
        usize first_ = 0;
        usize count_ = 0;
    };

    class Port final : public ByteSink {
    public:
        Port(ConsoleSwitch &owner, std::string_view vm) : name(vm), owner_(owner) {}
        void put(std::span<const u8> bytes) override { owner_.write(*this, bytes); }
        std::string_view name; ///< empty: nobody's
        SerialPort *receiver = nullptr;
        PowerButton *button = nullptr;
        Ahead ahead;
        bool stopped = false;
        bool drops = false; ///< it was said that input is lost

    private:
        ConsoleSwitch &owner_;
    };

    void receive_space() override;
    void write(const Port &port, std::span<const u8> bytes);
    /// On a line of its own.
    void say(std::string_view before, std::string_view name, std::string_view after = {});
    void write_prefix(const Port &port);
    void print(std::string_view text);
    /// Whether input is looked at that the VM before it has not made room for.
    [[nodiscard]] bool reads_ahead() const { return options_.escape != 0 && input_.flow() == InputFlow::typed; }
    /// Gives the port what it takes of what waits for it.
    static void deliver(Port &port);
    /// For `port`, after what waits already.
    void keep(Port &port, u8 byte);
    /// True when the byte was the switch's own.
    [[nodiscard]] bool take_escape(u8 byte);
    void choose(usize index);
    [[nodiscard]] bool takes_input(usize index) const {
        return !ports_[index].stopped && ports_[index].receiver != nullptr;
    }
    void press_button();
    void pass_on(u8 key);
    [[nodiscard]] bool prefixed() const;

    ByteSink &output_;
    ByteSource &input_;
    ConsoleOptions options_;
    EventPort *announcer_ = nullptr;
    ConsoleCommands *commands_ = nullptr;
    u64 badge_ = 0;
    Mutex lock_; ///< of the output and line_of_
    FixedVector<Port, kMaxVms> ports_;
    usize focus_ = 0;               ///< has the input
    usize chosen_ = 0;              ///< what the commands are for: the same, or one that has stopped
    const Port *line_of_ = nullptr; ///< who wrote the unfinished line
    bool escaped_ = false;
    bool pumping_ = false;
};

} // namespace sel4vm::machine
