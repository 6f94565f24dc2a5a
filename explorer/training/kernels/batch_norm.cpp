// Batch normalisation in training mode, with an optional addition and ReLU behind it, forward and backward.
//
// y = relu(gamma (x - mean) / sqrt(var + eps) + beta + other), one pass over x for the statistics and one
// for the values, where the eager way makes a pass per operation. Values are (rows, C), that is NHWC with
// rows = N H W, in float or bfloat16; statistics, gamma and beta are float, sums of rows are double.
//
// A row is a multiple of 16 lanes; C of 1, 2, 4 or 8 is laid over 16 lanes as C repeated. Rows are summed
// in chunks of fixed size whose sums are added in order, so the result does not depend on the threads.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int LANES = 16;
constexpr int64_t CHUNK_VALUES = 16384;

typedef float floats __attribute__((vector_size(LANES * 4)));
typedef uint32_t words __attribute__((vector_size(LANES * 4)));
typedef int32_t ints __attribute__((vector_size(LANES * 4)));
typedef uint16_t halves __attribute__((vector_size(LANES * 2)));

inline floats load(const float* from) {
  floats v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline floats load(const uint16_t* from) {
  halves v;
  std::memcpy(&v, from, sizeof v);
  return (floats)(__builtin_convertvector(v, words) << 16);
}

inline void store(float* to, floats v) { std::memcpy(to, &v, sizeof v); }

inline void store(uint16_t* to, floats v) {
  words bits = (words)v;
  words rounded = bits + 0x7fff + ((bits >> 16) & 1);  // to nearest, ties to even
  words quiet = (bits >> 16) | 0x40;                   // a NaN stays one
  words mask = (words)(v != v);
  halves out = __builtin_convertvector((rounded >> 16 & ~mask) | (quiet & mask), halves);
  std::memcpy(to, &out, sizeof out);
}

inline floats keep(ints mask, floats v) { return (floats)((ints)v & mask); }

struct Shape {
  int64_t rows;   // of `lanes` values each
  int64_t lanes;  // a multiple of LANES
  int64_t channels;
  int64_t chunk;  // rows of one chunk
  int64_t chunks;
  Shape(int64_t all_rows, int64_t c) {
    channels = c;
    lanes = c < LANES ? LANES : c;
    rows = all_rows * c / lanes;
    chunk = CHUNK_VALUES / lanes > 0 ? CHUNK_VALUES / lanes : 1;
    chunks = (rows + chunk - 1) / chunk;
  }
  int64_t end(int64_t number) const { return (number + 1) * chunk < rows ? (number + 1) * chunk : rows; }
};

// Values per lane that a loop over rows holds in registers.
struct Params {
  std::vector<std::vector<float>> values;
  const float* at(int number) const { return values[number].data(); }
};

// Calls each(at, p, b) for some rows of BLOCKS vectors; p holds PARAMS parameters of vector b.
template <int BLOCKS, int PARAMS, class Each>
inline void over_rows(const Shape& s, const Params& params, int64_t start, int64_t end, int64_t lane, Each each) {
  floats p[BLOCKS][PARAMS];
  for (int b = 0; b < BLOCKS; ++b)
    for (int i = 0; i < PARAMS; ++i) p[b][i] = load(params.at(i) + lane + b * LANES);
  for (int64_t row = start; row < end; ++row)
    for (int b = 0; b < BLOCKS; ++b) each(row * s.lanes + lane + b * LANES, p[b], b);
}

// Runs step<BLOCKS>(start, end, lane) over all chunks and all vectors of a row, four at once where there are.
template <class Step>
void over_chunks(const Shape& s, int threads, Step step) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t number = 0; number < s.chunks; ++number) {
    int64_t start = number * s.chunk, end = s.end(number), lane = 0;
    for (; lane + 4 * LANES <= s.lanes; lane += 4 * LANES) step.template run<4>(number, start, end, lane);
    for (; lane + 2 * LANES <= s.lanes; lane += 2 * LANES) step.template run<2>(number, start, end, lane);
    for (; lane < s.lanes; lane += LANES) step.template run<1>(number, start, end, lane);
  }
}

template <int PARAMS, class Terms>
struct Sum {
  const Shape& s;
  const Params& params;
  float* parts;
  Terms terms;
  template <int BLOCKS>
  void run(int64_t number, int64_t start, int64_t end, int64_t lane) const {
    floats one[BLOCKS] = {}, two[BLOCKS] = {};
    over_rows<BLOCKS, PARAMS>(s, params, start, end, lane,
                              [&](int64_t at, const floats* p, int b) { terms(at, p, one[b], two[b]); });
    float* sums = parts + 2 * s.lanes * number;
    for (int b = 0; b < BLOCKS; ++b) {
      store(sums + lane + b * LANES, one[b]);
      store(sums + s.lanes + lane + b * LANES, two[b]);
    }
  }
};

template <int PARAMS, class Each>
struct Apply {
  const Shape& s;
  const Params& params;
  Each each;
  template <int BLOCKS>
  void run(int64_t, int64_t start, int64_t end, int64_t lane) const {
    over_rows<BLOCKS, PARAMS>(s, params, start, end, lane, [&](int64_t at, const floats* p, int) { each(at, p); });
  }
};

// Two sums per channel over all rows; `terms` adds those of one vector of lanes.
template <int PARAMS, class Terms>
std::vector<double> sums_of(const Shape& s, int threads, const Params& params, Terms terms) {
  std::vector<float> parts(2 * s.lanes * s.chunks);
  over_chunks(s, threads, Sum<PARAMS, Terms>{s, params, parts.data(), terms});
  std::vector<double> total(2 * s.channels);
  for (int64_t number = 0; number < s.chunks; ++number)
    for (int half = 0; half < 2; ++half)
      for (int64_t lane = 0; lane < s.lanes; ++lane)
        total[half * s.channels + lane % s.channels] += parts[(2 * number + half) * s.lanes + lane];
  return total;
}

// A value per lane from one per channel.
std::vector<float> spread(const Shape& s, const std::vector<double>& values) {
  std::vector<float> lanes(s.lanes);
  for (int64_t lane = 0; lane < s.lanes; ++lane) lanes[lane] = (float)values[lane % s.channels];
  return lanes;
}

template <int PARAMS, class Each>
void for_all(const Shape& s, int threads, const Params& params, Each each) {
  over_chunks(s, threads, Apply<PARAMS, Each>{s, params, each});
}

// gamma (x - mean) / std + beta of one vector; params: centre, scale, shift.
inline floats normalised(floats x, const floats* p) { return (x - p[0]) * p[1] + p[2]; }

template <class T, bool ADD, bool RELU>
void write_forward(const Shape& s, int threads, const Params& params, const T* x, const T* other, T* y) {
  const floats zero = {};
  for_all<3>(s, threads, params, [=](int64_t at, const floats* p) {
    floats v = normalised(load(x + at), p);
    if (ADD) v += load(other + at);
    if (RELU) v = keep((ints)(v > zero) | (ints)(v != v), v);
    store(y + at, v);
  });
}

// The first pixel of every channel. Sums are taken about it, so that little cancels.
template <class T>
std::vector<double> first_pixel(const Shape& s, const T* x) {
  std::vector<double> first(s.channels);
  float lanes[LANES];
  for (int64_t lane = 0; lane < s.lanes; lane += LANES) {
    store(lanes, load(x + lane));
    for (int i = 0; i < LANES && lane + i < s.channels; ++i)
      first[lane + i] = std::isfinite(lanes[i]) ? lanes[i] : 0.0;
  }
  return first;
}

template <class T>
void forward(int64_t rows, int64_t channels, int threads, bool relu, const T* x, const T* other, T* y,
             const float* gamma, const float* beta, double eps, double momentum, float* running_mean,
             float* running_var, float* mean_out, float* rstd_out) {
  Shape s(rows, channels);
  std::vector<double> first = first_pixel(s, x);
  Params origin{{spread(s, first)}};
  std::vector<double> sums = sums_of<1>(s, threads, origin, [=](int64_t at, const floats* p, floats& one, floats& two) {
    floats d = load(x + at) - p[0];
    one += d;
    two += d * d;
  });
  std::vector<double> mean(channels), scale(channels), shift(beta, beta + channels);
  for (int64_t c = 0; c < channels; ++c) {
    double offset = sums[c] / rows, variance = sums[channels + c] / rows - offset * offset;
    if (variance < 0) variance = 0;
    mean[c] = (float)((float)first[c] + offset);
    double rstd = (float)(1 / std::sqrt(variance + eps));
    scale[c] = gamma[c] * rstd;
    mean_out[c] = (float)mean[c];
    rstd_out[c] = (float)rstd;
    double unbiased = rows > 1 ? variance * rows / (rows - 1) : variance;
    running_mean[c] = (float)((1 - momentum) * running_mean[c] + momentum * mean[c]);
    running_var[c] = (float)((1 - momentum) * running_var[c] + momentum * unbiased);
  }
  Params params{{spread(s, mean), spread(s, scale), spread(s, shift)}};
  auto write = other ? (relu ? write_forward<T, true, true> : write_forward<T, true, false>)
                     : (relu ? write_forward<T, false, true> : write_forward<T, false, false>);
  write(s, threads, params, x, other, y);
}

// Where the ReLU let values through: y > 0 where something was added, else told by x alone.
enum Mask { NONE, FROM_X, FROM_Y };

// Params of backward: centre, scale and shift as in `normalised`, then factors of grad, of x and a constant.
template <class T, Mask MASK>
void backward_as(const Shape& s, int64_t rows, int threads, const T* grad, const T* x, const T* y,
                 const float* gamma, const float* beta, const float* mean, const float* rstd, T* grad_x,
                 T* grad_other, float* grad_gamma, float* grad_beta) {
  const floats zero = {};
  int64_t channels = s.channels;
  std::vector<double> centre(mean, mean + channels), scale(channels), shift(beta, beta + channels);
  for (int64_t c = 0; c < channels; ++c) scale[c] = gamma[c] * (double)rstd[c];
  Params params{{spread(s, centre), spread(s, scale), spread(s, shift)}};
  std::vector<double> sums = sums_of<3>(s, threads, params, [=](int64_t at, const floats* p, floats& one, floats& two) {
    floats g = load(grad + at), v = load(x + at);
    if (MASK == FROM_X) g = keep((ints)(normalised(v, p) > zero), g);
    if (MASK == FROM_Y) {
      g = keep((ints)(load(y + at) > zero), g);
      store(grad_other + at, g);
    }
    one += g;
    two += g * (v - p[0]);
  });
  std::vector<double> of_x(channels), constant(channels);
  for (int64_t c = 0; c < channels; ++c) {
    double r = rstd[c], a = scale[c];
    grad_beta[c] = (float)sums[c];
    grad_gamma[c] = (float)(sums[channels + c] * r);
    of_x[c] = -a * r * r * sums[channels + c] / rows;
    constant[c] = -a * sums[c] / rows;
  }
  params.values.push_back(spread(s, of_x));
  params.values.push_back(spread(s, constant));
  const T* behind = MASK == FROM_Y ? grad_other : grad;  // the gradient behind the ReLU
  for_all<5>(s, threads, params, [=](int64_t at, const floats* p) {
    floats g = load(behind + at), v = load(x + at);
    if (MASK == FROM_X) g = keep((ints)(normalised(v, p) > zero), g);
    store(grad_x + at, g * p[1] + ((v - p[0]) * p[3] + p[4]));
  });
}

template <class T>
void backward(int64_t rows, int64_t channels, int threads, bool relu, const T* grad, const T* x, const T* y,
              const float* gamma, const float* beta, const float* mean, const float* rstd, T* grad_x,
              T* grad_other, float* grad_gamma, float* grad_beta) {
  auto run = !relu ? backward_as<T, NONE> : grad_other ? backward_as<T, FROM_Y> : backward_as<T, FROM_X>;
  run(Shape(rows, channels), rows, threads, grad, x, y, gamma, beta, mean, rstd, grad_x, grad_other, grad_gamma,
      grad_beta);
}

}  // namespace

extern "C" {

#define FORWARD(NAME, T)                                                                                     \
  void NAME(int64_t rows, int64_t channels, int threads, int relu, const void* x, const void* other, void* y, \
            const float* gamma, const float* beta, double eps, double momentum, float* running_mean,          \
            float* running_var, float* mean, float* rstd) {                                                   \
    forward<T>(rows, channels, threads, relu, (const T*)x, (const T*)other, (T*)y, gamma, beta, eps, momentum, \
               running_mean, running_var, mean, rstd);                                                        \
  }
#define BACKWARD(NAME, T)                                                                                    \
  void NAME(int64_t rows, int64_t channels, int threads, int relu, const void* grad, const void* x,           \
            const void* y, const float* gamma, const float* beta, const float* mean, const float* rstd,       \
            void* grad_x, void* grad_other, float* grad_gamma, float* grad_beta) {                            \
    backward<T>(rows, channels, threads, relu, (const T*)grad, (const T*)x, (const T*)y, gamma, beta, mean,   \
                rstd, (T*)grad_x, (T*)grad_other, grad_gamma, grad_beta);                                           \
  }

FORWARD(forward_float32, float)
FORWARD(forward_bfloat16, uint16_t)
BACKWARD(backward_float32, float)
BACKWARD(backward_bfloat16, uint16_t)
}
