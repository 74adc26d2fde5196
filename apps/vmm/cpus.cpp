// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/cpus.hpp>

#include <algorithm>

namespace sel4vm::vmm {

namespace {

el2::ProcessorSetup processor_setup(const el2::PlatformInfo &platform, const machine::SystemDescription &system) {
    el2::ProcessorSetup setup = el2::ProcessorSetup::of(platform);
    setup.slice_microseconds = system.time_slice_us;
    return setup;
}

/// A log that is a panic.
class PanicLog final : public Log {
public:
    explicit PanicLog(el2::PanicPrinter &printer) : printer_(printer) {}
    void line(LogLevel, std::string_view, std::string_view text) override {
        printer_.print("  ");
        printer_.print(text);
        printer_.print("\n");
    }

private:
    el2::PanicPrinter &printer_;
};

} // namespace

Cpus::Cpus(el2::Host &host, Log &log, const machine::SystemDescription &system, const BusNames &names)
    : host_(host), log_(log), system_(system), names_(names) {
    const auto &known = host.platform().cpus;
    if (host.platform().psci == el2::PsciConduit::none)
        return; // nobody starts the others, so the boot CPU is the only one
    count_ = static_cast<u32>(known.size());
    const auto *found = std::find(known.begin(), known.end(), el2::affinity_of_this_cpu());
    boot_ = found != known.end() ? static_cast<u32>(found - known.begin()) : 0;
}

Cpus::~Cpus() {
    host_.set_panic_report(nullptr);
    // Those that were started look at theirs for good, also when nothing came of the run.
    for (Cpu &cpu : cpus_)
        static_cast<void>(cpu.secondary.release());
}

bool Cpus::open(u64 used, ExecutorListener &listener) {
    cpus_ = OwnedArray<Cpu>::make(host_.heap(), count_);
    const bool has_boot =
        cpus_ && (cpus_[boot_].own = Owned<el2::Processor>::make(host_.heap(), host_.gic(), host_.interrupts(),
                                                                 processor_setup(host_.platform(), system_)));
    if (!has_boot) {
        log_.line(LogLevel::error, "host", "not enough memory for the run loop");
        return false;
    }
    cpus_[boot_].processor = cpus_[boot_].own.get();
    for (u32 number = 0; number < count_; ++number) {
        const bool wanted = (used >> number & 1) != 0 && number != boot_;
        if (wanted && !start(number))
            return false;
        several_ = several_ || wanted;
    }
    for (Cpu &cpu : cpus_) {
        if (cpu.processor != nullptr && !make_executor(cpu, listener)) {
            log_.line(LogLevel::error, "host", "not enough memory for the run loop");
            return false;
        }
    }
    host_.set_panic_report(this);
    return true;
}

bool Cpus::start(u32 number) {
    Cpu &cpu = cpus_[number];
    cpu.secondary = Owned<el2::SecondaryCpu>::make(host_.heap(), host_, host_.platform().cpus[number],
                                                   processor_setup(host_.platform(), system_));
    const auto started = cpu.secondary ? cpu.secondary->start() : Err{HostError{HostErrorKind::out_of_memory}};
    if (started) {
        cpu.processor = &cpu.secondary->processor();
        return true;
    }
    Text<80> text;
    text << "CPU " << number
         << (started.error().kind == HostErrorKind::out_of_memory ? " cannot be started: not enough memory"
                                                                  : " does not start when the firmware is told to");
    log_.line(LogLevel::error, "host", text.view());
    return false;
}

bool Cpus::make_executor(Cpu &cpu, ExecutorListener &listener) {
    EventPort *events = cpu.processor;
    if (system_.bench.report_exits) {
        cpu.counting = Owned<Counting>::make(host_.heap(), *events, host_.clock(), names_);
        events = cpu.counting ? &cpu.counting->port : events;
    }
    if (host_.has_bootarg("trace")) {
        cpu.trace = Owned<Trace>::make(host_.heap(), *events, host_.clock(), names_);
        events = cpu.trace ? &cpu.trace->port() : events;
    }
    cpu.executor = Owned<Executor>::make(host_.heap(), *events, host_.clock(), listener,
                                         several_ ? LockMode::spin : LockMode::none);
    return static_cast<bool>(cpu.executor);
}

bool Cpus::share_interrupts(el2::PassedIrqTable &table) {
    if (!table.create(host_.heap()))
        return false;
    host_.interrupts().set_passed(table);
    for (Cpu &cpu : cpus_) {
        if (cpu.secondary)
            cpu.secondary->interrupts().set_passed(table);
    }
    return true;
}

void Cpus::run() {
    for (Cpu &cpu : cpus_) {
        if (cpu.secondary)
            cpu.secondary->begin(*this);
    }
    run(cpus_[boot_]);
    done_ = true;
    for (Cpu &cpu : cpus_) {
        if (cpu.secondary) {
            cpu.processor->wake();
            cpu.secondary->wait_until_done();
        }
    }
}

void Cpus::run_on(el2::SecondaryCpu &secondary) {
    for (Cpu &cpu : cpus_) {
        if (cpu.secondary.get() != &secondary)
            continue;
        // When its VMs have stopped, one of them may be reset while others run.
        run(cpu);
        while (!done_) {
            cpu.processor->wait_for_others();
            run(cpu);
        }
    }
}

void Cpus::print_traces(Log &log, std::string_view source, Trace::Open open) const {
    for (usize number = 0; number < cpus_.size(); ++number) {
        if (!cpus_[number].trace)
            continue;
        if (several_) {
            Text<32> text;
            text << "trace of CPU " << u64{number} << ":";
            log.line(LogLevel::info, source, text.view());
        }
        cpus_[number].trace->print(log, source, open);
    }
}

void Cpus::print(el2::PanicPrinter &printer) {
    PanicLog log(printer);
    print_traces(log, "host", Trace::Open::shown);
}

void Cpus::report_accesses(Log &log, const Vm &vm) const {
    for (usize number = 0; number < cpus_.size(); ++number) {
        if (!cpus_[number].counting)
            continue;
        for (const AccessCounts::Count &count : cpus_[number].counting->counts.counts()) {
            if (count.vm != vm.id())
                continue;
            Text<120> text;
            text << "bench: accesses of " << count.place.name << " at " << count.place.base;
            if (several_)
                text << " on CPU " << u64{number};
            text << ": " << count.accesses;
            log.line(LogLevel::info, vm.name(), text.view());
        }
    }
}

} // namespace sel4vm::vmm
