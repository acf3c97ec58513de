// Layers of torch.nn that configurations put together by themselves, as networks without weights of their own.
#include "nn/factory.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

/// torch.nn.NAME made by the activation `act`.
Component activation(const std::string& name, const std::string& act, std::vector<Param> params) {
  return {.kind = "network",
          .name = "torch.nn." + name,
          .aliases = {},
          .summary = "The activation, element by element",
          .params = std::move(params),
          .make = [name, act](const Args& args) -> Value {
            return make_network(name, make_activation(Tuple{{Value(act), Value(args.all())}}));
          }};
}

const Param kInplace = optional("inplace", false, "overwrite the input");
const Param kDim = optional("dim", nullptr, "axis");

const Register sigmoid(activation("Sigmoid", "sigmoid", {}));
const Register tanh(activation("Tanh", "tanh", {}));
const Register relu(activation("ReLU", "relu", {kInplace}));
const Register leaky_relu(activation("LeakyReLU", "leakyrelu", {optional("negative_slope", 0.01, "slope below 0"), kInplace}));
const Register prelu(activation("PReLU", "prelu",
                                {optional("num_parameters", 1, "1, or the number of channels"), optional("init", 0.25, "first slope")}));
const Register softmax(activation("Softmax", "softmax", {kDim}));
const Register log_softmax(activation("LogSoftmax", "logsoftmax", {kDim}));
const Register identity(
    {.kind = "network", .name = "torch.nn.Identity", .aliases = {}, .summary = "The input itself", .params = {}, .make = [](const Args&) -> Value {
       return make_network("Identity", std::make_shared<Identity>());
     }});

}  // namespace
}  // namespace vesal::nn
