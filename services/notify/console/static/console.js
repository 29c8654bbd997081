// Draws the charts from their data-chart attributes and sends self-submitting forms. Data is only
// ever handed to ECharts as values on a canvas, so no text of it becomes markup.
(() => {
  "use strict";
  const css = getComputedStyle(document.documentElement);
  const tone = (name) => css.getPropertyValue(name).trim();
  const FONT = css.getPropertyValue("--font").trim();
  const PALETTE = ["--accent", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7"].map(tone);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches || matchMedia("print").matches;
  const text = { color: tone("--ink-2"), fontFamily: FONT, fontSize: 12 };
  const thin = { lineStyle: { color: tone("--line") } };

  const short = (value) => {
    const size = Math.abs(value);
    if (size >= 1e8) return `${+(value / 1e8).toFixed(2)}亿`;
    if (size >= 1e4) return `${+(value / 1e4).toFixed(1)}万`;
    return String(value);
  };
  const whole = (value) => Number(value).toLocaleString("zh-CN", { maximumFractionDigits: 2 });
  const month = (label) => `${+label.slice(5)}月${label.endsWith("-01") ? `\n${label.slice(0, 4)}年` : ""}`;
  const values = { type: "value", minInterval: 1, axisLabel: { ...text, formatter: short }, splitLine: thin };
  const names = (labels, formatter) => ({
    type: "category", data: labels, axisTick: { show: false }, axisLine: thin,
    axisLabel: { ...text, ...(formatter && { formatter }) },
  });
  const legend = { top: 0, left: 0, itemWidth: 10, itemHeight: 10, itemGap: 12, icon: "roundRect", textStyle: text, type: "scroll" };
  const grid = (more) => ({ left: 4, right: 14, top: 34, bottom: 4, containLabel: true, ...more });
  const tip = (trigger, unit) => ({
    trigger, renderMode: "richText", confine: true, textStyle: { ...text, color: tone("--ink") },
    backgroundColor: tone("--paper"), borderColor: tone("--line-2"),
    valueFormatter: (value) => `${whole(value)} ${unit}`,
    ...(trigger === "axis" && { axisPointer: { type: "shadow", shadowStyle: { color: "rgba(27,90,138,.07)" } } }),
  });

  const SHAPES = {
    bars: (data) => ({
      color: PALETTE,
      legend: data.series.length > 1 ? legend : undefined,
      grid: grid(data.series.length > 1 ? { right: 44 } : { top: 4, right: 44 }),
      tooltip: tip("axis", data.unit),
      xAxis: { ...values, axisLabel: { show: false }, splitLine: { show: false } },
      yAxis: { ...names(data.labels), inverse: true, axisLine: { show: false } },
      series: data.series.map((each, place) => ({
        type: "bar", name: each.name, data: each.values, barMaxWidth: 16, barGap: "20%",
        itemStyle: { color: place ? tone("--accent-3") : tone("--accent"), borderRadius: [0, 2, 2, 0] },
        label: { show: true, position: "right", ...text, formatter: (one) => whole(one.value) },
      })),
    }),
    lines: (data) => ({
      color: [tone("--accent"), tone("--good"), tone("--c4"), tone("--bad")],
      legend, grid: grid(), tooltip: tip("axis", data.unit),
      xAxis: names(data.labels, month), yAxis: values,
      series: data.series.map((each) => ({
        type: "line", name: each.name, data: each.values, symbol: "circle", symbolSize: 5, lineStyle: { width: 2 },
      })),
    }),
    stack: (data) => ({
      color: PALETTE, legend, grid: grid(), tooltip: tip("axis", data.unit),
      xAxis: names(data.labels, month), yAxis: values,
      series: data.series.map((each) => ({ type: "bar", stack: "all", name: each.name, data: each.values, barMaxWidth: 26 })),
    }),
    share: (data) => {
      const most = Math.max(...data.labels.map((_, place) => data.series.reduce((sum, each) => sum + each.values[place], 0)));
      return {
        color: [tone("--bad"), tone("--good-2")], legend,
        grid: grid(), tooltip: tip("axis", data.unit),
        xAxis: { ...values, splitNumber: 3 },
        yAxis: { ...names(data.labels), inverse: true, axisLine: { show: false } },
        series: data.series.map((each) => ({
          type: "bar", stack: "all", name: each.name, data: each.values, barMaxWidth: 18,
          label: { show: true, ...text, color: "#fff", formatter: (one) => (one.value > most * 0.08 ? whole(one.value) : "") },
        })),
      };
    },
    // each step centred and measured against the first, so that what falls away is seen
    steps: (data) => {
      const [first] = data.series[0].values;
      const most = Math.max(...data.series[0].values, 1);
      const share = (value) => (first && value ? `  ${Math.round((value / first) * 100)}%` : "");
      return {
        grid: { left: 4, right: 4, top: 4, bottom: 4, containLabel: true },
        tooltip: tip("item", data.unit),
        xAxis: { type: "value", show: false, min: -most / 2, max: most / 2 },
        yAxis: { ...names(data.labels), inverse: true, axisLine: { show: false } },
        series: [{
          type: "custom",
          encode: { x: 0, y: 1, tooltip: 0 },
          data: data.series[0].values.map((value, place) => [value, place]),
          renderItem: (_, at) => {
            const [value, place] = [at.value(0), at.value(1)];
            const [left, middle] = at.coord([-value / 2, place]);
            const [right] = at.coord([value / 2, place]);
            const height = Math.min(40, at.size([0, 1])[1] * 0.72);
            const inside = right - left > 110;
            return {
              type: "group",
              children: [
                { type: "rect", shape: { x: left - 1, y: middle - height / 2, width: right - left + 2, height, r: 2 }, style: { fill: tone(["--accent", "--accent-2", "--good", "--good-2"][place] ?? "--accent") } },
                { type: "text", style: { text: whole(value) + share(value), x: inside ? (left + right) / 2 : right + 8, y: middle, align: inside ? "center" : "left", verticalAlign: "middle", fill: inside ? "#fff" : tone("--ink"), font: `13px ${FONT}` } },
              ],
            };
          },
        }],
      };
    },
  };

  const nothing = (data) => data.series.every((each) => each.values.every((value) => !value));

  const draw = (box) => {
    if (box.dataset.drawn) return;
    const data = JSON.parse(box.dataset.chart);
    box.dataset.drawn = "1";
    if (!data.labels.length || nothing(data)) {
      box.classList.add("none");
      box.textContent = "还没有数据";
      return;
    }
    if (data.shape === "bars") {
      const each = box.classList.contains("l") ? 33 : data.series.length > 1 ? 40 : 25;
      box.style.height = `${Math.max(120, data.labels.length * each + 36)}px`;
    }
    const chart = echarts.init(box, null, { renderer: "canvas", devicePixelRatio: Math.max(2, devicePixelRatio) });
    chart.setOption({ animation: !still, animationDuration: 400, textStyle: { fontFamily: FONT }, ...SHAPES[data.shape](data) });
    new ResizeObserver(() => chart.resize()).observe(box);
  };

  const wake = (root) => {
    root.querySelectorAll("[data-chart]").forEach(draw);
    root.querySelectorAll("[data-autosubmit]").forEach((form) => {
      form.classList.add("auto");
      form.addEventListener("change", () => form.requestSubmit());
    });
  };
  wake(document);
  addEventListener("beforeprint", () => document.querySelectorAll("figure details").forEach((each) => { each.open = true; }));
})();
