"""Where the numbers in the prose of README and docs come from; every {} of a passage stands for one."""

from api.machine.ingest import PAST
from model.machine.combs import ORDERS
from model.machine.indicators import LEAST_SECONDS as LEAST_SECONDS_WATCHED
from model.machine.indicators import SIZE
from tests.tools.docs.pages import Figure
from tests.tools.docs.sources import (
    ACCURACY,
    BAND_LIMIT,
    CATALOGUE,
    EXCERPT_LOADS,
    EXCERPTS,
    FAULT_RATE,
    HEAD,
    HEALTHY_RATE,
    HELD_OUT,
    LEAST_KILOHERTZ,
    LEAST_SECONDS,
    OTHER_MAKER,
    PARAMETERS,
    PARAMS,
    PYTHON,
    SAMPLING_RATE,
    SEGMENT_TURNS,
    TOLD_SPEEDS,
    WINDOW_LENGTH,
    WINDOW_OF_RECORDING,
    closest_run,
    count_healthy,
    count_lives,
    count_machines,
    count_rigs,
    macro_f1,
    measured,
    rate_below,
    weigh_page,
)

RECORDINGS = str(len(CATALOGUE))
OTHER = OTHER_MAKER.removesuffix(" in")
OTHER_F1 = macro_f1("bearing", "recording", OTHER_MAKER)
BASELINE = f"{PARAMS['thresholds']['baseline']['seconds']:g}"
MACHINES = PARAMS["machine_trials"]
DIAGNOSED_RPM = [f"{rpm:,}" for rpm in PARAMS["thresholds"]["checks"]["rpm"]]
NETWORK_RPM = [f"{rpm:,}" for rpm in PARAMS["thresholds"]["decision"]["network_rpm"]]
TRAINED_RPM = [f"{rpm:,}" for rpm in PARAMS["simulate"]["population"]["rpm"]]
TRIED_RPM = [f"{rpm:,}" for rpm in (min(MACHINES["speeds"]), max(MACHINES["speeds"]))]
WATCH, ONSET = PARAMS["machine"], PARAMS["life_trials"]["runs"]["onset"]
FASTEST_TRIED = f"{max(MACHINES['speeds'])} rpm"
FAINTEST = f"{100 * MACHINES['clutter']['faint']['depth'][1]:g}"
PASSAGES = {
    "README.md": (
        ("You need Python {} or newer", PYTHON),
        ("bearingdatacenter) ({} MB)", *measured("download")),
        ("A **window** is {} samples at {} kHz", WINDOW_LENGTH, SAMPLING_RATE),
        ("is a file of {} s or more", LEAST_SECONDS),
        ("has an accuracy of {} on the {} windows that", ACCURACY, HELD_OUT),
        ("its macro-F1 is {}. The recording", macro_f1("bearing", "wide_kernel")),
        ("and reaches {} there and {} where", macro_f1("bearing", "recording"), macro_f1("combinations", "recording")),
        ("On other rigs it called {} of {} healthy", *count_rigs("healthy_called_faulty", "healthy")),
        ("of {} simulated healthy machines it called {} faulty and was uncertain of {}.",
         *count_machines("healthy", "healthy_called_faulty", "healthy_uncertain")),
        ("at {} rpm they name {} of {} simulated", TRIED_RPM[1],
         *count_machines("race_faults_found", "race_faults", speed=FASTEST_TRIED)),
        ("Below {} and above {} rpm it refuses", *DIAGNOSED_RPM),
        ("on the fold of {} in macro-F1 is {};", OTHER, OTHER_F1),
        ("and {} seeds;", str(len(PARAMS["protocols"]["seeds"]))),
        ("A healthy baseline, which takes {} s", BASELINE),
        ("trained {} to {} rpm", *TRAINED_RPM),
        ("{} of the {} ({}, {} and {}, normal)", str(len(EXCERPTS)), RECORDINGS, *EXCERPTS),
    ),
    "CONTRIBUTING.md": (("You need Python {} or newer", PYTHON),),
    "docs/architecture.md": (
        ("| [window](window.md) | {} samples", WINDOW_LENGTH),
        ("a file of {} s or more", LEAST_SECONDS),
        ("features, from windows of {} s", WINDOW_OF_RECORDING),
    ),
    "docs/benchmarks.md": (("takes some {} MB beside it", *measured("child_memory")),),
    "docs/deploy.md": (
        ("itself takes {} s of processor time", *measured("render_processor")),
        ("It has {} MB in memory then", *measured("render_ready_memory")),
        ("had {} MB at most", *measured("render_most_memory")),
    ),
    "docs/machine.md": (
        ("own healthy past: the first {} that were learned", str(PAST)),
        ("A recording from {} s on becomes {} bytes", f"{LEAST_SECONDS_WATCHED:g}", str(SIZE)),
        ("at {} orders, a percent apart", str(len(ORDERS))),
        ("{} s of them are a", BASELINE),
        ("The first {} valid recordings", str(WATCH["learning"]["recordings"])),
        ("all orders: {} recordings tell none alone", str(WATCH["learning"]["recordings"])),
        ("for each speed, within {} %", f"{100 * WATCH['learning']['same_speed']:g}"),
        ("with a weight of {} follows", str(WATCH["smoothing"]["weight"])),
        ("raised after {} recordings in a row and cleared after {}:", str(WATCH["persistence"]["raise_after"]),
         str(WATCH["persistence"]["clear_after"])),
        ("On {} simulated lives", *count_lives("lives")),
        ("it raised {} false alarms in {} recordings", *count_lives("false_alarms", "watched")),
        ("It alarmed {} of {} growing faults, {} of them", *count_lives("warned", "faults", "family_right")),
        ("at a median of {} dB", *count_lives("median_snr_at_the_alarm")),
        ("of {} sensor faults it blamed the sensor within three recordings in {}",
         *count_lives("sensor_faults", "sensor_faults_found")),
        ("the rate lies below {} in 10,000 (95 %)", rate_below()),
        ("came to {} of a warning", closest_run()),
        ("mean by {} deviations of the first {} % of the run", str(ONSET["deviations"]), f"{100 * ONSET['share']:g}"),
        ("the first of {} snapshots in a row", str(ONSET["sustained"])),
        ("On FEMTO's {} runs to failure", str(len(PARAMS["life_trials"]["runs"]["rpm"]))),
    ),
    "docs/pipeline.md": (
        ("It sent {} records; the accuracy was {}", HELD_OUT, ACCURACY),
        ("makes {} simulated machines with {} windows", f"{PARAMS['simulate']['machines']:,}",
         str(PARAMS["simulate"]["windows"])),
        ("`windows` cuts {} samples", WINDOW_LENGTH),
        ("holds out {} % of the windows", f"{100 * PARAMS['split']['holdout']:g}"),
        ("takes about {} s on two cores, all {} epochs", *measured("training"), str(PARAMS["train"]["epochs"])),
        ("was first there after {} s ({} epochs)", *measured("published_loop", "published_loop_epochs")),
        ("{} of the {} recordings behind the figures are not the originals: {}, {} and {} (normal, {} to {} hp)",
         str(len(EXCERPTS)), RECORDINGS, *EXCERPTS, EXCERPT_LOADS[0], EXCERPT_LOADS[-1]),
        ("there are {} healthy windows at {} kHz instead of {}", count_healthy("excerpt_samples"), SAMPLING_RATE,
         count_healthy("samples")),
    ),
    "docs/protocols.md": (
        ("on the protocols, {} seeds each", str(len(PARAMS["protocols"]["seeds"]))),
        ("leaves the diameter of {} in apart", OTHER),
        ("at speeds from {} to {} rpm, without", *TRIED_RPM),
        ("follows a part by up to {} %)", FAINTEST),
        ("are the first {} healthy recordings", str(PARAMS["rig_trials"]["baseline"])),
        ("with more than {} healthy recordings", str(PARAMS["rig_trials"]["most_healthy"])),
        ("weakest on the fold of {} in", OTHER),
        ("faults were recorded at {} kHz and the healthy bearing at {} kHz", FAULT_RATE, HEALTHY_RATE),
        ("Resampling to {} kHz and the band limit of {} kHz", SAMPLING_RATE, BAND_LIMIT),
    ),
    "docs/recording.md": (
        ("A recording is a file of vibration, {} s or more", LEAST_SECONDS),
        ("ready after {} s on loopback", *measured("page_ready")),
        ("weighs {} kB", weigh_page()),
        ("answered in {} ms", *measured("diagnose_10_s")),
        ("It warned about {} of {} real recordings", *measured("right_rates_warned", "right_rates")),
        ("four times too high on {} of CWRU's {} recordings", *measured("rate_times_four"), RECORDINGS),
        ("stated 10 % too high on {}.", *measured("speed_ten_percent")),
        ("for speeds from {} to {} rpm", *TOLD_SPEEDS),
        ("it told {} of {} speeds, {} of them more", *measured("speeds_told", "speeds_tried", "speeds_wrong")),
        ("{} on CWRU, {} on MFPT (all healthy ones), {} on HIT",
         *measured("speeds_told_cwru", "speeds_told_mfpt", "speeds_told_hit")),
        ("Any rate from {} kHz, any length from {} s", LEAST_KILOHERTZ, LEAST_SECONDS),
        ("a window takes {} ms at 12 kHz, {} ms at 48 kHz and {} ms at 192 kHz",
         *measured("window_12_khz", "window_48_khz", "window_192_khz")),
        ("Give {} s or more", BASELINE),
        ("same speed, within {} %,", f"{100 * PARAMS['thresholds']['baseline']['same_speed']:g}"),
        ("follow by {} dB a decade", f"{20 * PARAMS['thresholds']['baseline']['speed_slope']:g}"),
        ("From {} dB on", f"{PARAMS['thresholds']['baseline']['unit_jump']:g}"),
        ("at shaft speeds from {} to {} rpm; beyond", *DIAGNOSED_RPM),
        ("over segments of {} turns", SEGMENT_TURNS),
        ("joint factor, within {} %", f"{100 * PARAMS['thresholds']['speed']['reach']:g}"),
        ("fewer than {} times.", f"{PARAMS['thresholds']['evidence']['least_turns']:g}"),
        ("asks them from {} to {} rpm only", *NETWORK_RPM),
        ("cut into windows of {} s", WINDOW_OF_RECORDING),
        ("It called {} of {} healthy recordings of other rigs faulty and was uncertain of {}.",
         *count_rigs("healthy_called_faulty", "healthy", "healthy_uncertain")),
        ("It named {} of {} race faults with their type.", *count_rigs("race_faults_right", "race_faults")),
        ("it named {} (too low) and {} (too high) of these,", *count_rigs("race_faults_right", stated="-2.4 %"),
         *count_rigs("race_faults_right", stated="+2.4 %")),
        ("with one that is 5 % wrong {} and {}.", *count_rigs("race_faults_right", stated="-5 %"),
         *count_rigs("race_faults_right", stated="+5 %")),
        ("Of {} simulated healthy machines with gears, belts, drives and damaged neighbours it called {} faulty and "
         "was uncertain of {}.", *count_machines("healthy", "healthy_called_faulty", "healthy_uncertain")),
        ("Of {} race faults beside all that it named {}, at {} rpm {} of {}.",
         *count_machines("race_faults", "race_faults_found"), TRIED_RPM[1],
         *count_machines("race_faults_found", "race_faults", speed=FASTEST_TRIED)),
    ),
    "docs/scale.md": (
        ("some {} requests a second of one record and {} of fifty", *measured("ray_one_record", "ray_fifty_records")),
        ("alone answered {} and {} to {}", *measured("alone_one_record", "alone_fifty_least", "alone_fifty_most")),
        ("it takes {} GB", *measured("ray_memory")),
        ("took {} s with one, and {} s with two", *measured("archive_one", "archive_two")),
        ("Ray took {} and {} s", *measured("archive_ray_one", "archive_ray_two")),
        ("it costs some {} s", *measured("archive_ray_start")),
        ("about {} such recordings", *measured("archive_ray_pays")),
    ),
    "docs/service.md": (
        ("end its headers within {} kB", HEAD),
        ("from some {} records at once", *measured("most_json_records")),
        ("{} MB with JSON as clients write it, {} MB with .npy, {} MB with uploads, {} MB with JSON that is made",
         *measured("memory_json", "memory_npy", "memory_uploads", "memory_crafted")),
        ("lie at {} (median) and {} at most", *measured("drift_median", "drift_most")),
        ("stands ready {} s later", *measured("child_restart")),
        ("({} against {} .npy requests", *measured("service_rate_full", "service_rate_bare")),
    ),
    "docs/window.md": (
        ("A window is {} samples of raw vibration at {} kHz", WINDOW_LENGTH, SAMPLING_RATE),
        ("a band limit of {} kHz", BAND_LIMIT),
        ("shape (N, {})", WINDOW_LENGTH.replace(",", "")),
        ("kernel and {} parameters", PARAMETERS),
        ("({} kHz against {} kHz)", HEALTHY_RATE, FAULT_RATE),
    ),
}  # fmt: skip
FIGURES = [Figure(page, passage, values) for page, passages in PASSAGES.items() for passage, *values in passages]
# Numbers that nobody here measured: what others publish or grant, what a test asks for, and rules of the house.
FACTS = {
    "README.md": ("report 100 % on", "macOS 14 or later", "the 95 % interval"),
    "CONTRIBUTING.md": (
        "50 to 150 lines, 300 at most; functions around 8;", "with 413 or 503", "with 413, and", "with 400;",
        "the first 16 digits", "macOS 14 or later", "Python below 3.14",
    ),
    "docs/benchmark.ipynb": ("100 requests one after the other, then 16 senders",),
    "docs/deploy.md": (
        "folders under 512 MB", "plan has 512 MB", "after 15 minutes", "recording of 2,000,000 samples", "gets a 503",
        "on port 8000 and the page by itself on 8080", "Measured on 2026-11-22",
    ),
    "docs/machine.md": (
        "answered with 200", "answered with 201", "IEEE PHM 2012", "log 2 for noise",
        "each 1 at a warning", "Technometrics 4 (1962) 419", "Technometrics 1 (1959) 239", "m ← m + λ (x - m)",
        "√(λ / (2 - λ) + 1 / n)", "Signal Process. 25 (2011) 485", "Signal Process. 20 (2006) 282",
        "in 10,000 (95 %) if", "IMS test 1:",
    ),
    "docs/pipeline.md": ("published loop (5,000 epochs",),
    "docs/protocols.md": (
        "most publications get 100 %", "make 100 % easy", "between 5 and 6 kHz", "its 95 % interval",
        "recording of 1 s", "`9 0.3126 1.537 0`", "above 0 |", "whole numbers from 0",
    ),
    "docs/recording.md": (
        "versions 4 to 7", "(58 and 58b)", "MATLAB\n7.3", "are ISO 8601, or", "(6309: 309K)", "series 60, 62 or 63",
        "(6309, SKF 6309-2Z/C3)", "45 x 100 x 25", "ISO 15 gives",
        "stated 10 % too", "ms at 12 kHz", "ms at 48 kHz", "ms at 192 kHz", "heights of 60 lines",
        "Else a 422 asks", "more than 1 % off",
        "that is stated 2.4 % wrong", "one that is 5 % wrong", "level rose 9.5 dB", "2 to 3 kHz rose 14.0 dB",
        "impulsiveness in 2,500 to 4,000 Hz 4.2 times", "dB a decade", "for g is 19.8 dB",
    ),
    "docs/scale.md": (
        "after a 5xx", "240 recordings of 10 s", "after 3 s of more load", "after 60 s", "gets a 503",
    ),
    "docs/service.md": (
        "with a 413 from", "gets a 503", "gets a 422", "gets a 401", "below 450 MB", "status 0", "within 10 s",
        "from 16 clients",
    ),
    "docs/window.md": ("up to 100,000 times",),
}  # fmt: skip


def of(page: str) -> list[Figure]:
    """Return the figures of a page."""
    return [figure for figure in FIGURES if figure.page == page]
