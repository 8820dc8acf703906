"""A faster keras.layers.ConvLSTM2D with the same weights, dropout masks, outputs and gradients.

Keras runs eight convolutions in each step, and two more for the gradient of each. They are so small that starting one
costs as much as its computation. Here, one convolution over all frames processes the input. Four convolutions over all
steps give the gradient of the recurrent kernel. A step computes only what depends on the previous step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

GATES = 4
"""Number of gates along the last axis of a weight, in Keras's order: input, forget, candidate, output."""


@keras.saving.register_keras_serializable(package="harstream")
class ConvLSTM2D(keras.layers.ConvLSTM2D):  # type: ignore[misc]
    """Frames (N, T, H, W, C), T fixed -> states (N, T, h, w, filters), or the last step's state (N, h, w, filters).

    It has the name of Keras's layer, so that layers and weights of runs with either layer have the same names.
    `seed` seeds the dropout. Source: Shi et al. 2015, "Convolutional LSTM Network", eq. 3 without peepholes.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            data_format="channels_last",
            recurrent_dropout=recurrent_dropout,
            return_sequences=return_sequences,
            seed=seed,
            unroll=True,
            name=name,
            dtype=dtype,
            trainable=trainable,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        kept = ("filters", "kernel_size", "recurrent_dropout", "return_sequences", "seed", "name", "dtype", "trainable")
        return {key: config[key] for key in kept}

    def call(self, sequences: Any, initial_state: None = None, mask: None = None, training: bool = False) -> Any:
        if initial_state is not None or mask is not None:
            raise ValueError(
                f"{self.name} starts with a zero state and skips no step: expected no initial_state and no mask"
            )
        return super().call(sequences, training=training)

    def inner_loop(self, sequences: Any, initial_state: Sequence[Any], mask: None, training: bool = False) -> Any:
        """Return the last output, the outputs of all steps, and the last state and cell. Keras calls it."""
        gates = self._input_gates(sequences)
        kernel = ops.convert_to_tensor(self.cell.recurrent_kernel)
        if training:
            dropped = 0 < self.recurrent_dropout < 1
            masks = self.cell.get_recurrent_dropout_mask(initial_state[0]) if dropped else None
            steps, states = _trained(gates, kernel, masks)
        else:
            steps = _Steps(gates, kernel, None)
            states = ops.stack(steps.states, axis=1)
        return states[:, -1], states, [states[:, -1], steps.cells[-1]]

    def _input_gates(self, sequences: Any) -> list[Any]:
        """Return the input's part of each gate before its activation: (N, T, h, w, filters) four times."""
        return _by_gate(_over_time(sequences, self.cell.kernel, "valid") + self.cell.bias)


class _Steps:
    """The recurrence forwards, as lists of tensors (N, h, w, filters) over the steps, and its gradient backwards.

    `masks` (N, h, w, filters) are the dropout masks of each gate's state, the same at every step.
    """

    def __init__(self, gates: Sequence[Any], kernel: Any, masks: Sequence[Any] | None) -> None:
        self.kernel, self.masks = kernel, masks
        self.activated: list[tuple[Any, Any, Any, Any]] = []
        self.cells: list[Any] = []
        self.squashed: list[Any] = []
        """tanh of the cells."""
        self.states: list[Any] = []
        for step in zip(*(ops.unstack(gate, axis=1) for gate in gates), strict=True):
            self._add(step)

    def gates_gradient(self, states_gradient: Any) -> tuple[Any, ...]:
        """Turn the gradient of the states (N, T, h, w, filters) into that of the four gates before their activation."""
        kernels = [ops.swapaxes(ops.flip(kernel, axis=(0, 1)), 2, 3) for kernel in _by_gate(self.kernel)]
        found: list[Sequence[Any]] = []
        from_later = cell_from_later = ops.zeros_like(self.cells[-1])
        for step, direct in reversed(list(enumerate(ops.unstack(states_gradient, axis=1)))):
            state = direct + from_later
            (i, f, candidate, o), squashed = self.activated[step], self.squashed[step]
            cell = cell_from_later + state * o * (1 - squashed * squashed)
            before = self.cells[step - 1] if step else ops.zeros_like(cell)
            gates = (
                cell * candidate * i * (1 - i),
                cell * before * f * (1 - f),
                cell * i * (1 - candidate * candidate),
                state * squashed * o * (1 - o),
            )
            found.append(gates)
            if step:
                cell_from_later, from_later = cell * f, self._state_gradient(gates, kernels)
        return tuple(ops.stack(gate[::-1], axis=1) for gate in zip(*found, strict=True))

    def _add(self, gates: Sequence[Any]) -> None:
        if self.states:
            gates = [gate + own for gate, own in zip(gates, self._recurrent(self.states[-1]), strict=True)]
        i, f, candidate, o = gates
        i, f, candidate, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(candidate), ops.sigmoid(o)
        cell = f * self.cells[-1] + i * candidate if self.cells else i * candidate
        squashed = ops.tanh(cell)
        self.activated.append((i, f, candidate, o))
        self.cells.append(cell)
        self.squashed.append(squashed)
        self.states.append(o * squashed)

    def _recurrent(self, state: Any) -> list[Any]:
        """Return the state's part of each gate.

        One convolution with masks, grouped or block-diagonal, made convlstm_large slower than Keras's own layer.
        """
        if self.masks is None:
            return _by_gate(_same(state, self.kernel))
        kernels = _by_gate(self.kernel)
        return [_same(state * mask, kernel) for mask, kernel in zip(self.masks, kernels, strict=True)]

    def _state_gradient(self, gates: Sequence[Any], kernels: Sequence[Any]) -> Any:
        """Return the gradient of the state of `_recurrent`. The kernels are rotated and transposed."""
        if self.masks is None:
            return _same(ops.concatenate(gates, axis=-1), ops.concatenate(kernels, axis=2))
        i, f, candidate, o = (
            _same(gate, kernel) * mask for gate, kernel, mask in zip(gates, kernels, self.masks, strict=True)
        )
        return i + f + candidate + o


def _trained(gates: Sequence[Any], kernel: Any, masks: Sequence[Any] | None) -> tuple[_Steps, Any]:
    """Return the steps, and their states (N, T, h, w, filters) with a gradient for the gates and the recurrent kernel.

    Once the states are known, one convolution of all steps gives their part of a gate. Only its gradient for the kernel
    is used, not its value. The gradient of the gates passes through the states, step by step.
    """
    steps = _Steps([ops.stop_gradient(gate) for gate in gates], ops.stop_gradient(kernel), masks)
    states = ops.stop_gradient(ops.stack(steps.states, axis=1))
    before = ops.concatenate([ops.zeros_like(states[:, :1]), states[:, :-1]], axis=1)
    if masks is None:
        recurrent = _by_gate(_over_time(before, kernel, "same"))
    else:
        seen = [before * mask[:, None] for mask in masks]
        recurrent = [_over_time(*pair, "same") for pair in zip(seen, _by_gate(kernel), strict=True)]

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def known_states(*_: Any) -> Any:
        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            return steps.gates_gradient(arguments[0] if upstream is None else upstream)  # PyTorch names it upstream

        return states, gradient

    return steps, known_states(*(gate + own for gate, own in zip(gates, recurrent, strict=True)))


def _by_gate(values: Any) -> list[Any]:
    return list(ops.split(values, GATES, axis=-1))


def _same(pictures: Any, kernel: Any) -> Any:
    return ops.conv(pictures, kernel, padding="same", data_format="channels_last")


def _over_time(sequences: Any, kernel: Any, padding: str) -> Any:
    """Run one convolution of all steps (N, T, H, W, C), folded into the batch."""
    _, T, H, W, C = sequences.shape
    convolved = ops.conv(ops.reshape(sequences, (-1, H, W, C)), kernel, padding=padding, data_format="channels_last")
    return ops.reshape(convolved, (-1, T, *convolved.shape[1:]))
