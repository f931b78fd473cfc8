// The numbers of a plain request, `[{"record": [n, n, ...]}, ...]`, straight into float32.
//
// parse() accepts a strict subset of JSON and answers -1 to everything else, valid or not: the caller then takes the
// validating path, so behaviour and error messages are typed once, in Python. Every number equals
// np.float32(float(text)).

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "eight digits are read as one little-endian word"
#endif

namespace {

constexpr double POWERS_OF_TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t WHOLE_POWERS_OF_TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
constexpr int LARGEST_EXACT_POWER = 22;
constexpr int LARGEST_EXACT_DIGITS = 19;  // 10^19 - 1 fits into 64 bits
constexpr double SMALLEST_NORMAL = 1.1754943508222875e-38;
constexpr double LARGEST_SAFE = 3.4e38;
constexpr char KEY[] = "\"record\"";
constexpr std::ptrdiff_t KEY_LENGTH = sizeof(KEY) - 1;

// A reader takes the place to read from and returns the place behind what it read, or nullptr where that is not there.
// Places travel in registers: through a reference the compiler keeps them in memory, at half the speed.
using Place = const char*;

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

inline Place skip_space(Place at, Place end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  return at;
}

inline Place take(Place at, Place end, char expected) {
  at = skip_space(at, end);
  return at < end && *at == expected ? at + 1 : nullptr;
}

inline Place take_key(Place at, Place end) {
  at = skip_space(at, end);
  if (end - at < KEY_LENGTH || std::memcmp(at, KEY, KEY_LENGTH) != 0) return nullptr;
  return take(at + KEY_LENGTH, end, ':');
}

// Eight digits at once, after Lemire, "Quickly parsing eight digits" (2018); needs a little-endian machine. The bytes
// are the digits' values, the first digit in the lowest byte.
inline std::uint64_t eight_digits(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return ((digits & 0x000000FF000000FF) * 0x000F424000000064 +
          ((digits >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
         32;
}

// The digits at the start of eight bytes: how many there are, and their number.
struct Run {
  std::uint64_t length, number;
};

inline Run read_run(Place at) {
  std::uint64_t digits;
  std::memcpy(&digits, at, 8);
  digits ^= 0x3030303030303030;
  const std::uint64_t others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080;
  const std::uint64_t length = others ? static_cast<std::uint64_t>(__builtin_ctzll(others)) / 8 : 8;
  const std::uint64_t shift = 64 - 8 * length;  // in two steps, for a shift by 64 is undefined
  return {length, eight_digits(digits << shift / 2 << (shift - shift / 2))};
}

// Appends up to 24 digits to the mantissa (which may overflow: the caller counts them), without a branch that depends
// on their number: lengths vary from number to number, and a wrong guess of the processor's costs more than the
// arithmetic.
inline Place skip_decimals(Place at, std::uint64_t& mantissa) {
  const Run first = read_run(at), second = read_run(at + 8), third = read_run(at + 16);
  const std::uint64_t reaches_second = first.length == 8, reaches_third = reaches_second & (second.length == 8);
  const std::uint64_t second_length = second.length * reaches_second, third_length = third.length * reaches_third;
  mantissa = mantissa * WHOLE_POWERS_OF_TEN[first.length] + first.number;
  mantissa = mantissa * WHOLE_POWERS_OF_TEN[second_length] + second.number * reaches_second;
  mantissa = mantissa * WHOLE_POWERS_OF_TEN[third_length] + third.number * reaches_third;
  return at + first.length + second_length + third_length;
}

inline Place skip_digits(Place at, Place end, std::uint64_t& mantissa) {
  while (at < end && is_digit(*at)) mantissa = mantissa * 10 + (*at++ - '0');
  return at;
}

Place take_exactly(Place start, Place end, float& value) {
  double wide;
  const auto [rest, error] = std::from_chars(start, end, wide);
  if (error != std::errc() || rest != end || std::fabs(wide) > LARGEST_SAFE) return nullptr;
  value = static_cast<float>(wide);
  return end;
}

inline Place take_exponent(Place at, Place end, int& exponent) {
  const bool down = at < end && *at == '-';
  at += down || (at < end && *at == '+');
  std::uint64_t power = 0;
  const Place behind = skip_digits(at, end, power);
  if (behind == at || behind - at > 4) return nullptr;
  exponent += down ? -static_cast<int>(power) : static_cast<int>(power);
  return behind;
}

inline Place take_number(Place at, Place end, float& value) {
  at = skip_space(at, end);
  const Place start = at;
  const bool negative = at < end && *at == '-';
  at += negative;
  const Place first = at;
  std::uint64_t mantissa = 0;
  at = skip_digits(at, end, mantissa);
  std::ptrdiff_t digits = at - first;
  if (digits == 0 || (digits > 1 && *first == '0')) return nullptr;
  int exponent = 0;
  if (at < end && *at == '.') {
    const Place decimals = ++at;
    at = end - at > 24 ? skip_decimals(at, mantissa) : skip_digits(at, end, mantissa);
    digits += at - decimals;
    exponent = -static_cast<int>(at - decimals);
    if (exponent == 0) return nullptr;
  }
  if (at < end && (*at | 0x20) == 'e') {
    at = take_exponent(at + 1, end, exponent);
    if (at == nullptr) return nullptr;
  }
  if (digits > LARGEST_EXACT_DIGITS || exponent < -LARGEST_EXACT_POWER || exponent > LARGEST_EXACT_POWER)
    return take_exactly(start, at, value);
  // The mantissa is rounded to a double, the power of ten is exact, and so is rounding their quotient: two roundings,
  // so `wide` is at most two units in the last place off. That can change the float32 only beside the midpoint of two
  // neighbours, where the 29 bits that a float32 lacks are near 2^28, and out of float32's normal range.
  const double size = static_cast<double>(mantissa);
  const double wide = exponent < 0 ? size / POWERS_OF_TEN[-exponent] : size * POWERS_OF_TEN[exponent];
  std::uint64_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  const std::uint32_t from_midpoint = static_cast<std::uint32_t>((bits & 0x1FFFFFFF) - 0x10000000 + 4);
  if (mantissa != 0 && (from_midpoint <= 8 || wide < SMALLEST_NORMAL || wide > LARGEST_SAFE))
    return take_exactly(start, at, value);
  value = static_cast<float>(negative ? -wide : wide);
  return at;
}

Place take_record(Place at, Place end, float* record, Py_ssize_t window_length) {
  if (!(at = take(at, end, '{')) || !(at = take_key(at, end)) || !(at = take(at, end, '['))) return nullptr;
  for (Py_ssize_t sample = 0; sample < window_length; ++sample) {
    if (sample > 0 && !(at = take(at, end, ','))) return nullptr;
    if (!(at = take_number(at, end, record[sample]))) return nullptr;
  }
  return (at = take(at, end, ']')) ? take(at, end, '}') : nullptr;
}

// Reads record, record, ... and the terminator: "," where more spans follow, "]" at the end of the body. Returns the
// number of records, or -1 for whatever is not exactly that, with at most `most` records.
Py_ssize_t parse_span(Place at, Place end, char terminator, float* records, Py_ssize_t most, Py_ssize_t window_length) {
  for (Py_ssize_t count = 0; count < most;) {
    at = take_record(at, end, records + count * window_length, window_length);
    if (!at) return -1;
    ++count;
    const Place closed = take(at, end, terminator);
    if (closed && skip_space(closed, end) == end) return count;
    if (!(at = take(at, end, ','))) return -1;
  }
  return -1;
}

PyObject* parse(PyObject*, PyObject* arguments) {
  Py_buffer body, records;
  Py_ssize_t start, stop, window_length;
  int terminator;
  if (!PyArg_ParseTuple(arguments, "y*nnCw*n", &body, &start, &stop, &terminator, &records, &window_length))
    return nullptr;
  Py_ssize_t count = -1;
  if (0 <= start && start <= stop && stop <= body.len && window_length > 0) {
    const Place text = static_cast<Place>(body.buf);
    const Py_ssize_t most = records.len / (window_length * static_cast<Py_ssize_t>(sizeof(float)));
    Py_BEGIN_ALLOW_THREADS
    count = parse_span(text + start, text + stop, static_cast<char>(terminator), static_cast<float*>(records.buf), most,
                       window_length);
    Py_END_ALLOW_THREADS
  }
  PyBuffer_Release(&body);
  PyBuffer_Release(&records);
  return PyLong_FromSsize_t(count);
}

PyMethodDef METHODS[] = {
    {"parse", parse, METH_VARARGS,
     "parse(body, start, stop, terminator, records, window_length): read the records between start and stop, up to the "
     "terminator, into the float32 buffer; return their number, or -1 where they are not in the plain form."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "fast_records", nullptr, 0, METHODS, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_fast_records() { return PyModule_Create(&MODULE); }
