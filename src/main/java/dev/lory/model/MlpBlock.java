package dev.lory.model;

import dev.lory.kernel.Activation;
import dev.lory.kernel.Backend;
import dev.lory.kernel.RowGroups;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The MLP of one layer, or one expert of it. */
sealed interface MlpBlock {
    /** {@code y = mlp(x)}. @param adapters of the rows of {@code x} */
    void forward(Tensor x, Tensor y, LinearDelta delta, RowGroups adapters);

    /** {@code down(activation(gate(x)) · up(x))}. */
    final class Gated implements MlpBlock {
        private final Backend backend;
        private final Activation activation;
        private final Projections inputs;
        private final Projections down;
        private final Activations gate;
        private final Activations up;
        private final Tensor[] gateUp = new Tensor[2];
        private final Tensor[] out = new Tensor[1];

        /** @param gate and {@code up}: buffers, shared with others */
        Gated(
                Backend backend,
                Activation activation,
                Projections inputs,
                Projections down,
                Activations gate,
                Activations up) {
            this.backend = backend;
            this.activation = activation;
            this.inputs = inputs;
            this.down = down;
            this.gate = gate;
            this.up = up;
        }

        @Override
        public void forward(Tensor x, Tensor y, LinearDelta delta, RowGroups adapters) {
            gateUp[0] = gate.rows(x.rows());
            gateUp[1] = up.rows(x.rows());
            inputs.forward(x, gateUp, delta, adapters);
            backend.gate(activation, gateUp[0], gateUp[1], gateUp[0]);
            out[0] = y;
            down.forward(gateUp[0], out, delta, adapters);
        }
    }

    /** {@code down(activation(up(x)))}. */
    final class Plain implements MlpBlock {
        private final Backend backend;
        private final Activation activation;
        private final Projections up;
        private final Projections down;
        private final Activations inner;
        private final Tensor[] widened = new Tensor[1];
        private final Tensor[] out = new Tensor[1];

        /** @param inner a buffer, shared with others */
        Plain(Backend backend, Activation activation, Projections up, Projections down, Activations inner) {
            this.backend = backend;
            this.activation = activation;
            this.up = up;
            this.down = down;
            this.inner = inner;
        }

        @Override
        public void forward(Tensor x, Tensor y, LinearDelta delta, RowGroups adapters) {
            widened[0] = inner.rows(x.rows());
            up.forward(x, widened, delta, adapters);
            backend.activate(activation, widened[0], widened[0]);
            out[0] = y;
            down.forward(widened[0], out, delta, adapters);
        }
    }

    /** Each row through the experts it is routed to; an expert sees its own rows side by side, and their adapters. */
    final class Experts implements MlpBlock {
        private final Backend backend;
        private final Projections router;
        private final int topK;
        private final List<MlpBlock> experts;
        private final Buffers buffers;
        private final Tensor[] logits = new Tensor[1];

        /**
         * What the experts of all layers share.
         *
         * @param logits {@code [rows, experts]}
         * @param gathered {@code [rows, hidden]}, as is {@code out}
         */
        record Buffers(
                Activations logits, Activations gathered, Activations out, RowGroups routes, Selection selection) {}

        Experts(Backend backend, Projections router, int topK, List<MlpBlock> experts, Buffers buffers) {
            this.backend = backend;
            this.router = router;
            this.topK = topK;
            this.experts = List.copyOf(experts);
            this.buffers = buffers;
        }

        @Override
        public void forward(Tensor x, Tensor y, LinearDelta delta, RowGroups adapters) {
            RowGroups routes = buffers.routes;
            logits[0] = buffers.logits.rows(x.rows());
            router.forward(x, logits, delta, adapters);
            backend.route(logits[0], topK, routes);
            backend.clear(y);
            for (int g = 0; g < routes.groups(); g++) {
                int count = routes.start(g + 1) - routes.start(g);
                Tensor gathered = buffers.gathered.rows(count);
                Tensor out = buffers.out.rows(count);
                backend.gather(x, routes, g, gathered);
                experts.get(routes.key(g)).forward(gathered, out, delta, buffers.selection.of(adapters, routes, g));
                backend.scatterAdd(out, routes, g, y);
            }
        }
    }
}
