import "uplot/dist/uPlot.min.css";
import Plot from "uplot";

export { Plot };
