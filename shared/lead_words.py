"""How far a lead has come, in words for whoever told of it (C22).

The registry's and notify's public routes say the same.
"""

from collections.abc import Mapping

from shared.contracts.leads import LeadState

STATUS: Mapping[LeadState, str] = {
    LeadState.OPEN: "已收到，等待入户走访",
    LeadState.VISITED: "已入户走访，正在核实",
    LeadState.ACCEPTED: "已受理，进入申请程序",
    LeadState.DISMISSED: "经走访核实，暂未列入救助；情况有变化的，请再次反映",
}
UNKNOWN = "没有查到这个回执号，请核对"
