"""The benchmark: TokenGate beside a plain nginx proxy, TensorZero and LiteLLM, in one run on two cores."""
