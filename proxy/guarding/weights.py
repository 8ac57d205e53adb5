"""The weights of ``proxy.guarding.leaning``, fitted by ``python -m tests.support.injections.lessons``; not to be edited.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms`` that
the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations

_TABLE = """
1 -1.47, ? -1.18, ^about -1.53, ^actonit 0.63, ^asking -0.97, ^begin -0.1, ^cleared -0.38, ^code -0.26, ^core 0.29,
^decode 0.14, ^exactly 0.61, ^fixed 0.57, ^format -1.09, ^frame -0.4, ^given -0.56, ^goodrole -0.25, ^harm 0.33, ^iam
0.22, ^judge -0.71, ^liberty 0.28, ^maker 0.13, ^modal -0.16, ^mode -0.55, ^mustdo -0.31, ^neg -0.55, ^norefuse -0.14,
^norms -0.67, ^now 0.22, ^obeyme 0.51, ^outside -0.41, ^page -0.41, ^payout 0.14, ^permit 0.18, ^praise 0.26, ^prior
-0.51, ^rank -0.24, ^reader 0.31, ^ruin 0.42, ^says -0.25, ^saysure 0.84, ^secretive 0.17, ^shed -0.44, ^show -0.54,
^softly 0.12, ^spoils -0.71, ^telling 0.39, ^they -0.86, ^things -0.97, ^tools -0.51, ^trigger -1.14, ^unchecked -0.66,
^unseen 0.15, ^update 0.39, ^url -0.15, ^vocative -0.22, ^voided -0.22, ^you -0.25, about -0.25, about+code 0.18,
about+given -0.2, about+harm 0.26, about+judge -0.53, about+me -0.22, about+mode 0.15, about+mustdo -0.18, about+norms
-0.39, about+outside -0.31, about+prior -0.18, about+reader -0.2, about+saysure 0.11, about+sendoff 0.15, about+shed
-0.3, about+show -0.41, about+spoils -0.26, about+test 0.12, about+they -0.23, about+things -0.38, about+tools -0.14,
about+voided 0.1, about+you -0.19, about>about -0.42, about>code 0.23, about>judge -0.14, about>me -0.11, about>mode
0.19, about>mustdo -0.15, about>page 0.2, about>reader -0.14, about>sendoff 0.18, about>show -0.13, about>spoils -0.17,
actonit 0.24, actonit+decode 0.85, actonit+given 0.28, actonit+iam 0.17, actonit+me 0.18, actonit+mustdo 0.32,
actonit+obeyme 0.55, actonit+says 0.25, actonit+secretive 0.25, actonit+sendoff 0.49, actonit+show 0.33, actonit+spoils
0.2, actonit+stakes 0.17, actonit+they 0.37, actonit+things 0.36, actonit+tools 0.12, actonit+trigger -0.12,
actonit+unseen 0.38, actonit+you 0.29, actonit>actonit 0.41, actonit>given 0.25, actonit>iam 0.17, actonit>modal 0.13,
actonit>norms -0.19, actonit>says 0.25, actonit>tools -0.2, actonit>unseen 0.37, asking -0.18, asking+cleared -0.1,
asking+code 0.15, asking+detail -0.18, asking+given 0.13, asking+harm 0.6, asking+mask 0.2, asking+me -0.32,
asking+modal -0.16, asking+mode -0.16, asking+mustdo -0.21, asking+norefuse -0.11, asking+norms -0.46, asking+outside
-0.14, asking+preface 0.49, asking+prior 0.28, asking+rank -0.14, asking+sendoff -0.26, asking+shed -0.37, asking+show
-0.19, asking+spoils -0.31, asking+stakes -0.12, asking+they -0.26, asking+tools -0.13, asking+trigger -0.14,
asking+voided -0.12, asking+you 0.16, asking>asking -0.35, asking>harm 0.55, asking>me -0.38, asking>modal -0.2,
asking>mode -0.18, asking>neg -0.12, asking>norms -0.12, asking>preface 0.51, asking>prior 0.24, asking>rank -0.12,
asking>says -0.12, asking>sendoff -0.12, asking>shed -0.26, asking>spoils -0.11, asking>telling -0.15, asking>they
-0.33, begin+fixed 0.13, begin+fresh -0.11, begin+given -0.16, begin+me -0.21, begin+mustdo -0.14, begin+neg -0.14,
begin+norms -0.29, begin+now -0.12, begin+page -0.1, begin+preface 0.32, begin+says -0.17, begin+sendoff 0.1, begin+shed
-0.16, begin+spoils 0.2, begin+telling -0.17, begin+trigger -0.21, begin+url 0.16, begin+you 0.27, begin>fixed 0.14,
begin>fresh -0.15, begin>modal -0.11, begin>mustdo 0.11, begin>show -0.15, begin>spoils 0.17, begin>you 0.33,
cleared+iam 0.26, cleared+me 0.25, cleared+modal 0.15, cleared+neg -0.22, cleared+norms 0.21, cleared+reader 0.15,
cleared+shed 0.2, cleared+tools 0.13, cleared+update -0.16, cleared+you 0.2, cleared>norms 0.15, cleared>shed 0.19,
code+given -0.23, code+goodrole -0.1, code+mail 0.22, code+mask -0.25, code+me 0.14, code+modal 0.22, code+norefuse
-0.15, code+norms 0.35, code+outside 0.18, code+page 0.27, code+payout 0.17, code+permit 0.19, code+please -0.15,
code+praise 0.35, code+rank 0.11, code+reader -0.3, code+ruin 0.1, code+secretive -0.32, code+sendoff -0.14, code+shed
0.17, code+show -0.61, code+stakes -0.24, code+telling 0.28, code+they -0.11, code+things -0.12, code+trigger -0.25,
code+unseen -0.12, code+update 0.16, code+url 0.71, code+you -0.26, code>actonit 0.12, code>code -0.36, code>given
-0.22, code>iam 0.1, code>mail 0.2, code>mask -0.21, code>modal 0.34, code>neg 0.13, code>norefuse -0.12, code>norms
0.45, code>outside 0.17, code>page 0.19, code>please -0.11, code>praise 0.15, code>rank 0.15, code>secretive -0.32,
code>shed 0.23, code>show -0.4, code>spoils -0.39, code>stakes -0.2, code>unchecked -0.12, code>unseen -0.12,
code>update 0.18, code>url 0.72, code>you -0.17, core+exactly 0.34, core+me -0.12, core+modal 0.12, core+norms 0.16,
core+please 0.13, core+prior -0.27, core+reader -0.29, core+sendoff -0.12, core+show 0.52, core+telling -0.23,
core>exactly 0.32, core>norms -0.28, core>show 0.25, decode+iam 0.12, decode+me -0.15, decode+modal 0.21,
decode+secretive -0.1, decode+show -0.4, decode+they 0.15, decode+things -0.26, decode+tools 0.1, decode+url 0.13,
decode+you -0.15, decode>actonit 0.67, decode>given -0.14, decode>me -0.13, decode>prior 0.15, decode>secretive -0.13,
decode>things -0.19, decode>tools 0.1, detail+frame 0.3, detail+goodrole 0.21, detail+harm 0.61, detail+norms -0.17,
detail+reader 0.15, detail+sendoff 0.17, detail+shed -0.11, detail+spoils -0.12, detail+telling 0.1, detail+things
-0.27, detail+you -0.31, detail>asking -0.26, detail>harm 0.41, detail>me -0.43, detail>sendoff 0.26, detail>telling
-0.17, detail>you -0.16, exactly 0.15, exactly+given 0.27, exactly+norms 0.75, exactly+page -0.15, exactly+please -0.15,
exactly+preface 0.32, exactly+prior 0.53, exactly+secretive 0.26, exactly+show 1.13, exactly+they 0.11, exactly+things
0.1, exactly+trigger -0.11, exactly+you 0.26, exactly>norms 0.18, exactly>prior -0.13, exactly>show 0.4, exactly>things
-0.12, exactly>you 0.15, fixed 0.17, fixed+given 0.21, fixed+me 0.17, fixed+mustdo 0.26, fixed+praise 0.11, fixed+says
0.25, fixed+sendoff 0.39, fixed+shed 0.2, fixed+show 0.24, fixed+telling 0.28, fixed+things 0.42, fixed+you 0.41,
fixed>you 0.4, format -0.2, format+me -0.11, format+modal -0.22, format+mustdo -0.2, format+neg -0.35, format+norms
-0.18, format+now -0.24, format+page -0.11, format+reader -0.34, format+telling -0.24, format+things -0.25, format+you
-0.27, format>neg -0.2, format>page -0.14, format>reader -0.33, frame+harm 0.37, frame+judge 0.23, frame+mask 0.13,
frame+modal -0.25, frame+mustdo 0.11, frame+says -0.11, frame+shed -0.16, frame+things -0.19, frame+tools -0.1,
frame>asking -0.21, frame>frame 0.14, frame>modal -0.18, frame>neg 0.18, frame>trigger 0.11, frame>you 0.1, fresh+given
-0.11, fresh+me -0.16, fresh+modal -0.13, fresh+mustdo -0.13, fresh+neg -0.15, fresh+norms -0.19, fresh+please -0.11,
fresh+prior -0.11, fresh+shed -0.12, fresh+show -0.28, fresh+spoils 0.17, fresh+you 0.2, fresh>things -0.17, given+maker
0.12, given+me 0.69, given+modal -0.16, given+mode -0.12, given+mustdo 0.22, given+norms -0.18, given+now -0.15,
given+obeyme 0.36, given+outside -0.16, given+page -0.26, given+payout -0.31, given+please 0.21, given+praise 0.18,
given+prior 0.27, given+rank 0.16, given+reader -0.54, given+ruin 0.14, given+says -0.27, given+secretive 0.21,
given+sendoff -0.17, given+show -0.11, given+softly 0.28, given+spoils 0.28, given+stakes 0.11, given+telling 0.29,
given+things 0.15, given+tools -0.23, given+unchecked 0.21, given+unseen 0.33, given+update -0.19, given+vocative 0.33,
given+you 0.61, given>code -0.14, given>exactly 0.13, given>fixed 0.16, given>given -0.11, given>mask -0.14,
given>mustdo -0.37, given>neg -0.25, given>obeyme 0.11, given>page -0.16, given>praise 0.18, given>preface -0.25,
given>prior 0.36, given>reader -0.15, given>saysure 0.14, given>secretive 0.18, given>shed -0.15, given>softly 0.14,
given>spoils 0.24, given>things -0.11, given>tools -0.16, given>trigger -0.11, given>unseen 0.15, given>vocative -0.31,
given>you 0.39, goodrole -0.11, goodrole+mask -0.68, goodrole+me -0.13, goodrole+mustdo -0.21, goodrole+norms -0.25,
goodrole+now -0.14, goodrole+outside 0.13, goodrole+reader -0.13, goodrole+sendoff 0.19, goodrole+shed -0.11,
goodrole+spoils 0.27, goodrole+things 0.19, goodrole+update 0.12, goodrole+vocative -0.13, goodrole+you -0.93,
goodrole>me -0.34, goodrole>mustdo -0.18, goodrole>reader -0.22, goodrole>show -0.13, goodrole>telling 0.11,
goodrole>things -0.16, harm 0.18, harm+mask 0.19, harm+me 0.67, harm+mustdo 0.37, harm+neg 0.18, harm+norms 0.11,
harm+page 0.19, harm+reader 0.27, harm+sendoff 0.22, harm+show 0.57, harm+telling 0.6, harm+things 0.25, harm+you 0.16,
harm>page 0.19, harm>sendoff 0.18, harm>things 0.13, iam+judge 0.15, iam+modal 0.1, iam+mustdo 0.19, iam+norms 0.23,
iam+now 0.2, iam+prior 0.27, iam+rank 0.54, iam+ruin 0.12, iam+shed 0.1, iam+show -0.1, iam+spoils -0.22, iam+store
0.28, iam+telling 0.11, iam+things -0.15, iam+you -0.11, iam>cleared 0.16, iam>judge 0.1, iam>mustdo 0.13, iam>norms
0.33, iam>rank 0.53, iam>shed 0.13, judge+modal -0.2, judge+mustdo 0.15, judge+norms -0.16, judge+praise 0.91,
judge+reader 0.3, judge+sendoff -0.11, judge+shed 0.16, judge+show 0.23, judge+spoils -0.23, judge+things -0.13,
judge+trigger -0.23, judge+vocative 0.32, judge>about -0.21, judge>given -0.11, judge>neg 0.19, judge>norms -0.17,
judge>praise 0.44, judge>reader 0.24, judge>spoils -0.15, judge>telling -0.13, judge>you 0.24, liberty 0.28,
liberty+mask 1.07, liberty+modal 0.44, liberty+mode 0.26, liberty+norefuse 0.23, liberty+norms 0.62, liberty+now 0.17,
liberty+prior 0.15, liberty+reader 0.42, liberty+shed 0.5, liberty+show 0.16, liberty+voided 0.12, liberty+you 0.81,
liberty>neg 0.14, liberty>norefuse 0.23, liberty>norms 0.23, liberty>reader 0.35, liberty>show 0.13, liberty>voided
0.12, liberty>you -0.13, mail+neg 0.12, mail+page 0.35, mail+sendoff 0.64, mail+spoils 0.49, mail+you 0.28, mail>neg
0.12, maker+me 0.27, maker+modal 0.23, maker+prior 0.33, maker+sendoff -0.11, maker+shed -0.13, maker+show 0.22,
maker+things 0.19, maker+you 0.4, maker>modal 0.14, maker>norms -0.13, maker>prior 0.21, maker>things 0.13, maker>you
0.31, mask+me -0.32, mask+neg 0.44, mask+norefuse 0.2, mask+norms 0.32, mask+now 0.14, mask+obeyme 0.12, mask+outside
0.12, mask+page -0.31, mask+prior -0.18, mask+reader 0.47, mask+says -0.21, mask+sendoff -0.16, mask+show -0.39,
mask+stakes -0.14, mask+they -0.1, mask+things -0.29, mask+tools -0.19, mask+trigger 0.1, mask+you 0.45, mask>asking
0.11, mask>code -0.12, mask>goodrole -0.41, mask>liberty 1.07, mask>mask 0.24, mask>mustdo 0.13, mask>neg 0.34,
mask>norefuse 0.26, mask>norms 0.11, mask>reader 0.57, mask>telling 0.15, mask>things -0.11, mask>trigger 0.21,
mask>unseen 0.1, mask>you -0.31, me+modal 0.17, me+mustdo -0.24, me+norefuse 0.49, me+norms 0.44, me+now -0.15,
me+obeyme 0.76, me+outside 0.22, me+page -0.32, me+permit 0.22, me+please -0.28, me+preface 0.19, me+prior 0.34, me+rank
-0.13, me+reader -0.28, me+says 0.16, me+saysure 0.19, me+secretive -0.2, me+sendoff 0.14, me+shed -0.21, me+show -0.11,
me+softly 0.14, me+spoils 0.19, me+stakes -0.33, me+store -0.22, me+things -0.2, me+tools 0.25, me+unchecked 0.21,
me+unseen 0.39, me+update -0.2, me+url -0.21, me+voided 0.45, me>actonit 0.22, me>asking 0.13, me>begin -0.17,
me>cleared 0.14, me>core -0.13, me>detail 0.29, me>exactly 0.1, me>fixed 0.34, me>goodrole 0.18, me>harm 0.35, me>me
-0.34, me>modal -0.17, me>mustdo 0.15, me>neg 0.26, me>norms -0.12, me>now -0.13, me>page -0.22, me>please -0.29,
me>prior -0.56, me>rank 0.12, me>reader -0.12, me>says -0.27, me>shed -0.45, me>show -0.1, me>spoils 0.25, me>stakes
-0.2, me>things -0.47, me>tools -0.15, me>unchecked 0.12, me>unseen 0.28, me>url -0.12, me>vocative -0.29, me>voided
0.24, modal -0.14, modal+mode 0.44, modal+mustdo 0.18, modal+neg -0.31, modal+outside 0.18, modal+page -0.12,
modal+payout -0.14, modal+permit 0.24, modal+preface 0.11, modal+rank 0.47, modal+ruin 0.12, modal+shed -0.51,
modal+show -0.18, modal+telling 0.2, modal+they -0.2, modal+tools 0.43, modal+trigger -0.3, modal+unchecked 0.17,
modal+update -0.18, modal+vocative -0.25, modal+you 0.33, modal>code 0.44, modal>decode 0.17, modal>format -0.17,
modal>given -0.14, modal>iam 0.14, modal>liberty 0.25, modal>me 0.14, modal>mode 0.56, modal>mustdo 0.19, modal>neg
0.22, modal>please -0.15, modal>prior 0.25, modal>reader -0.11, modal>ruin 0.22, modal>shed 0.25, modal>show -0.26,
modal>telling 0.15, modal>you 0.18, mode+neg 0.15, mode+norms 0.11, mode+show -0.22, mode+things -0.24, mode+tools
-0.14, mode>liberty 0.22, mode>neg 0.22, mode>norms 0.31, mustdo+neg -0.15, mustdo+norms -0.23, mustdo+obeyme 0.11,
mustdo+payout 0.14, mustdo+permit 0.24, mustdo+praise 0.28, mustdo+reader 0.16, mustdo+ruin 0.1, mustdo+says 0.12,
mustdo+telling 0.6, mustdo+tools 0.13, mustdo+trigger 0.31, mustdo+unchecked 0.12, mustdo+unseen 0.2, mustdo+vocative
0.24, mustdo+you 0.22, mustdo>actonit 0.23, mustdo>begin -0.13, mustdo>code -0.14, mustdo>core 0.14, mustdo>format
-0.22, mustdo>given -0.15, mustdo>iam 0.5, mustdo>me 0.17, mustdo>mustdo 0.19, mustdo>norefuse 0.12, mustdo>norms -0.23,
mustdo>obeyme 0.11, mustdo>page -0.3, mustdo>permit 0.23, mustdo>praise 0.21, mustdo>prior -0.18, mustdo>rank 0.12,
mustdo>reader -0.28, mustdo>secretive 0.23, mustdo>show -0.34, mustdo>store 0.16, mustdo>telling -0.45, mustdo>they
0.11, mustdo>unseen 0.11, mustdo>you 0.2, neg+norefuse 0.61, neg+norms 0.25, neg+now 0.17, neg+obeyme 0.15, neg+page
0.16, neg+payout 0.27, neg+permit 0.42, neg+please -0.37, neg+praise 0.4, neg+preface 0.45, neg+prior 0.22, neg+reader
0.29, neg+ruin 0.34, neg+saysure 0.27, neg+secretive -0.21, neg+sendoff 0.16, neg+shed -0.51, neg+show -0.28, neg+softly
0.26, neg+spoils -0.26, neg+stakes 0.2, neg+store -0.12, neg+telling 1.04, neg+they 0.12, neg+things -0.37, neg+trigger
0.16, neg+unchecked 0.98, neg+unseen 0.65, neg+update 0.16, neg+url 0.19, neg+vocative 0.28, neg+voided 0.25, neg+you
0.68, neg>about 0.2, neg>asking 0.23, neg>cleared -0.11, neg>format -0.13, neg>given -0.26, neg>goodrole -0.15,
neg>judge 0.16, neg>modal -0.38, neg>mustdo -0.12, neg>neg -0.51, neg>norefuse 0.7, neg>norms 0.61, neg>obeyme 0.18,
neg>please -0.23, neg>prior -0.16, neg>saysure 0.2, neg>secretive -0.22, neg>sendoff -0.24, neg>show -0.11, neg>softly
0.25, neg>spoils -0.62, neg>stakes -0.14, neg>telling 0.64, neg>they 0.36, neg>things -0.29, neg>tools -0.25,
neg>trigger -0.23, neg>unchecked 0.95, neg>unseen 0.21, neg>update 0.38, neg>vocative -0.11, neg>you 0.22,
norefuse+reader -0.15, norefuse+show -0.15, norefuse+things -0.18, norefuse+unchecked -0.17, norefuse+you 0.38,
norefuse>me 0.17, norefuse>mustdo -0.12, norefuse>neg 0.22, norefuse>norefuse 0.13, norefuse>reader 0.32,
norefuse>trigger -0.14, norms 0.49, norms+now 0.51, norms+obeyme 0.43, norms+outside -0.31, norms+page -0.48,
norms+payout -0.31, norms+please 0.36, norms+prior 0.37, norms+reader -0.43, norms+ruin 0.12, norms+says -0.41,
norms+saysure 0.3, norms+secretive 0.46, norms+sendoff -0.21, norms+shed 0.42, norms+show 0.22, norms+spoils -0.14,
norms+store -0.11, norms+telling -0.36, norms+things -0.53, norms+tools -0.43, norms+trigger 0.5, norms+unchecked -0.22,
norms+update 0.26, norms+vocative -0.24, norms+voided 0.54, norms+you 0.81, norms>about -0.37, norms>begin -0.2,
norms>code 0.61, norms>exactly 0.41, norms>iam -0.13, norms>liberty 0.56, norms>maker 0.13, norms>mask -0.18, norms>me
0.43, norms>mode -0.17, norms>neg 0.14, norms>norefuse -0.13, norms>now 0.31, norms>obeyme 0.42, norms>page -0.19,
norms>payout 0.12, norms>please 0.21, norms>prior -0.17, norms>says -0.2, norms>secretive 0.39, norms>sendoff -0.17,
norms>shed 0.66, norms>show 0.49, norms>telling 0.14, norms>they 0.14, norms>things -0.25, norms>tools -0.24,
norms>update 0.5, norms>vocative -0.3, norms>voided 0.43, norms>you -0.21, now+obeyme 0.13, now+prior 0.17, now+says
-0.11, now+things -0.24, now+voided 0.3, now+you 0.17, now>format -0.11, now>liberty 0.17, now>neg 0.18, now>now 0.21,
now>obeyme 0.12, now>shed -0.11, obeyme 0.16, obeyme+prior 0.25, obeyme+shed 0.6, obeyme+show 0.16, obeyme+telling 0.11,
obeyme+they 0.24, obeyme+things 0.39, obeyme+vocative 0.12, obeyme+you 0.39, obeyme>given 0.11, obeyme>me 0.25,
obeyme>obeyme 0.16, obeyme>telling 0.11, obeyme>they 0.13, obeyme>things 0.24, outside+reader -0.22, outside+secretive
0.12, outside+sendoff 0.6, outside+shed -0.15, outside+show 0.16, outside+spoils 0.86, outside+telling -0.15,
outside+things 0.63, outside+url -0.13, outside+you 0.15, outside>reader -0.17, outside>things 0.62, page+payout 0.24,
page+please -0.12, page+praise -0.16, page+preface -0.11, page+prior -0.34, page+rank -0.17, page+ruin 0.17, page+says
-0.22, page+sendoff -0.39, page+shed -0.21, page+show -0.17, page+spoils 0.24, page+stakes -0.15, page+telling 0.29,
page+things -0.11, page+tools -0.13, page+trigger 0.12, page+unchecked 0.22, page+unseen 0.36, page+url 0.11,
page+vocative 0.17, page+voided -0.11, page+you -0.11, page>mail 0.22, page>me -0.16, page>modal -0.13, page>mustdo 0.3,
page>neg 0.19, page>norms 0.12, page>page 0.28, page>payout 0.27, page>reader -0.3, page>sendoff 0.16, page>show -0.26,
page>spoils 0.1, page>tools -0.14, payout+permit 0.25, payout+prior -0.19, payout+reader 0.14, payout+says -0.1,
payout+secretive 0.19, payout+stakes -0.17, payout+they -0.1, payout+things -0.14, payout+tools 0.5, payout+trigger
0.13, payout+unchecked 0.27, payout+unseen 0.29, payout+vocative 0.14, payout>mustdo 0.19, payout>payout 0.56,
payout>prior -0.26, payout>tools 0.23, payout>trigger 0.11, payout>unchecked 0.25, payout>unseen 0.12, payout>voided
0.16, payout>you 0.16, permit 0.13, permit+prior -0.11, permit+rank 0.36, permit+reader 0.49, permit+spoils 0.22,
permit+telling 0.16, permit+tools -0.16, permit+unchecked 0.5, permit+unseen 0.24, permit+you -0.16, permit>me 0.18,
permit>modal 0.17, permit>mustdo 0.12, permit>neg 0.37, permit>norms -0.19, permit>payout 0.22, permit>permit 0.43,
permit>prior -0.14, permit>rank 0.27, permit>show -0.1, permit>telling 0.17, permit>unchecked 0.12, permit>unseen 0.22,
permit>you -0.31, please -0.11, please+preface 0.21, please+reader 0.25, please+says -0.11, please+shed -0.62,
please+show -0.14, please+softly 0.14, please+telling -0.17, please+things -0.5, please+tools -0.12, please+update 0.11,
please+you -0.1, please>exactly -0.23, please>modal 0.12, please>neg -0.11, please>norms 0.24, please>prior 0.11,
please>shed -0.37, please>show 0.13, please>telling -0.15, please>things -0.34, please>vocative 0.13, praise 0.14,
praise+reader 0.17, praise+says 0.14, praise+sendoff -0.18, praise+shed 0.2, praise+telling 0.15, praise+trigger 0.16,
praise+unchecked 0.38, praise+vocative 0.35, praise+you 0.23, praise>code 0.19, praise>judge 0.6, praise>neg 0.25,
praise>praise 0.36, praise>shed 0.17, preface 0.19, preface+prior 0.63, preface+reader -0.29, preface+secretive 0.38,
preface+show 0.65, preface+softly 0.19, preface+things 0.35, preface+trigger 0.11, preface+you 0.16, preface>exactly
0.21, preface>given -0.31, preface>me -0.39, preface>show 0.11, preface>spoils 0.21, preface>things 0.33, prior+rank
0.26, prior+reader 0.19, prior+ruin -0.36, prior+says 0.14, prior+secretive 0.13, prior+sendoff -0.12, prior+shed 0.25,
prior+show -0.2, prior+softly 0.23, prior+spoils -0.22, prior+stakes 0.14, prior+telling -0.41, prior+tools -0.37,
prior+unchecked -0.29, prior+update -0.51, prior+url 0.26, prior+vocative -0.13, prior+you 0.45, prior>exactly 0.55,
prior>given 0.11, prior>goodrole 0.13, prior>judge 0.13, prior>liberty 0.14, prior>mask -0.1, prior>mustdo 0.15,
prior>neg 0.1, prior>norefuse 0.16, prior>norms 0.22, prior>payout 0.21, prior>praise 0.16, prior>rank -0.11,
prior>reader 0.26, prior>shed -0.45, prior>spoils 0.18, prior>stakes 0.12, prior>telling 0.1, prior>things -0.26,
prior>trigger 0.24, prior>update -0.19, prior>url 0.15, prior>voided -0.27, prior>you 0.39, rank+reader -0.11, rank+shed
-0.19, rank+show -0.19, rank+spoils -0.13, rank+store 0.13, rank+they -0.11, rank+things -0.37, rank+vocative -0.35,
rank+voided -0.28, rank+you 0.31, rank>code 0.2, rank>given 0.11, rank>modal -0.29, rank>mustdo -0.26, rank>prior 0.17,
rank>things -0.16, rank>voided -0.23, rank>you 0.38, reader 0.13, reader+says -0.17, reader+secretive -0.39,
reader+sendoff -0.45, reader+shed -0.23, reader+show -0.58, reader+spoils 0.17, reader+stakes 0.13, reader+store -0.18,
reader+telling 0.25, reader+test -0.25, reader+they -0.23, reader+trigger 0.5, reader+unseen 0.31, reader+vocative 1.02,
reader+you -0.22, reader>cleared 0.13, reader>code -0.29, reader>core -0.19, reader>detail 0.15, reader>given -0.26,
reader>goodrole 0.12, reader>judge 0.28, reader>mask -0.18, reader>me -0.15, reader>mustdo 0.32, reader>norefuse -0.36,
reader>norms -0.39, reader>page 0.4, reader>permit 0.39, reader>please 0.3, reader>preface -0.31, reader>prior -0.13,
reader>reader 0.55, reader>secretive -0.22, reader>sendoff -0.14, reader>show -0.78, reader>store -0.14, reader>telling
-0.21, reader>unchecked -0.36, reader>vocative 0.34, reader>you -0.12, ruin+shed 0.52, ruin+show 0.11, ruin+telling
0.47, ruin+things 0.11, ruin+unseen 0.31, ruin+you 0.11, ruin>code 0.11, ruin>neg 0.23, ruin>norms 0.11, ruin>page 0.16,
ruin>prior -0.31, ruin>show 0.14, ruin>telling 0.32, ruin>things 0.16, ruin>unseen 0.3, ruin>you 0.11, says+stakes
-0.12, says+telling 0.47, says+they 0.13, says+things 0.11, says+tools 0.2, says+trigger 0.38, says+vocative -0.11,
says+you -0.13, says>given 0.15, says>payout -0.11, says>prior 0.2, says>says 0.56, says>telling 0.18, says>things 0.12,
saysure 0.14, saysure+show 0.1, saysure+telling 0.19, saysure>about 0.12, saysure>me 0.19, saysure>norms 0.34,
secretive+sendoff 0.11, secretive+shed -0.11, secretive+show 0.4, secretive+spoils 0.14, secretive+stakes -0.17,
secretive+they 0.14, secretive+things 0.23, secretive+tools 0.19, secretive+trigger -0.11, secretive+unchecked -0.13,
secretive+unseen 0.45, secretive+url 0.11, secretive+you 0.47, secretive>code -0.23, secretive>exactly 0.17,
secretive>given 0.21, secretive>mustdo -0.12, secretive>neg -0.14, secretive>preface 0.11, secretive>prior 0.17,
secretive>show 0.22, secretive>spoils 0.25, secretive>they 0.25, secretive>things 0.2, secretive>you 0.33, sendoff+shed
-0.2, sendoff+show -0.49, sendoff+softly 0.19, sendoff+spoils 0.7, sendoff+store 0.13, sendoff+telling -0.14,
sendoff+they 0.16, sendoff+things 0.16, sendoff+unchecked 0.14, sendoff+unseen 0.25, sendoff+url 0.67, sendoff+you 0.14,
sendoff>actonit 0.3, sendoff>begin 0.16, sendoff>code -0.42, sendoff>given -0.27, sendoff>goodrole 0.17, sendoff>mail
0.35, sendoff>norms 0.16, sendoff>outside 0.43, sendoff>page -0.23, sendoff>payout -0.17, sendoff>reader -0.37,
sendoff>secretive 0.16, sendoff>sendoff -0.16, sendoff>show -0.13, sendoff>spoils 0.45, sendoff>stakes 0.15,
sendoff>store 0.15, sendoff>telling -0.24, sendoff>they 0.64, sendoff>tools 0.18, sendoff>url 0.7, sendoff>vocative
-0.25, shed -0.14, shed+show 0.34, shed+softly 0.17, shed+spoils 0.11, shed+stakes 0.24, shed+test 0.16, shed+they
-0.33, shed+things -0.57, shed+tools -0.16, shed+unchecked 0.72, shed+unseen 0.23, shed+update -0.14, shed+voided -0.23,
shed+you -0.11, shed>code 0.23, shed>core -0.2, shed>given 0.22, shed>iam -0.21, shed>judge 0.22, shed>liberty 0.3,
shed>maker -0.14, shed>me -0.48, shed>modal -0.3, shed>mustdo 0.22, shed>norms 0.37, shed>now 0.18, shed>obeyme 0.34,
shed>prior -0.15, shed>rank -0.19, shed>secretive -0.16, shed>shed -0.16, shed>show 0.38, shed>test 0.11, shed>things
-0.32, shed>trigger -0.17, shed>unchecked 0.82, shed>unseen 0.21, shed>you 0.34, show -0.23, show+softly 0.15,
show+spoils 0.32, show+store -0.13, show+they 0.28, show+things 0.11, show+trigger -0.41, show+unchecked -0.13,
show+unseen 0.35, show+update -0.12, show+url 0.16, show+vocative -0.39, show+voided -0.15, show+you 0.31, show>about
-0.11, show>actonit 0.11, show>code -0.27, show>core 0.31, show>decode -0.14, show>detail 0.13, show>fixed 0.23,
show>fresh -0.17, show>given 0.17, show>goodrole 0.11, show>harm 0.22, show>judge 0.23, show>maker 0.22, show>mask
-0.13, show>me 0.42, show>modal -0.19, show>mode -0.17, show>mustdo 0.22, show>neg -0.3, show>permit 0.17, show>please
-0.16, show>praise -0.12, show>preface 0.38, show>prior 0.27, show>reader 0.19, show>sendoff -0.13, show>shed -0.11,
show>show -0.68, show>spoils 0.24, show>telling -0.39, show>tools 0.39, show>trigger -0.43, show>vocative -0.34,
show>you -0.18, softly+trigger 0.2, softly+vocative 0.15, softly+you 0.35, softly>maker -0.11, softly>neg 0.16,
softly>prior 0.13, softly>shed 0.15, softly>show 0.17, spoils+stakes -0.29, spoils+they 0.18, spoils+tools -0.14,
spoils+trigger -0.11, spoils+unchecked 0.48, spoils+unseen 0.56, spoils+update 0.13, spoils+url 0.98, spoils+vocative
-0.14, spoils+voided -0.24, spoils+you 0.37, spoils>about -0.25, spoils>detail -0.1, spoils>given 0.21, spoils>goodrole
0.19, spoils>mail 0.29, spoils>norms -0.22, spoils>outside 0.33, spoils>permit 0.27, spoils>prior -0.27, spoils>shed
-0.11, spoils>show -0.16, spoils>spoils 0.37, spoils>stakes -0.2, spoils>they 0.37, spoils>tools -0.14, spoils>trigger
-0.1, spoils>unseen 0.11, spoils>url 0.28, spoils>vocative -0.17, spoils>voided -0.23, spoils>you 0.4, stakes+they 0.3,
stakes+things -0.15, stakes+trigger 0.17, stakes+unseen 0.12, stakes+you 0.15, stakes>asking -0.15, stakes>page -0.14,
stakes>reader 0.16, stakes>sendoff -0.19, stakes>shed 0.16, stakes>spoils 0.13, stakes>stakes 0.13, stakes>trigger 0.14,
stakes>you 0.31, store+things -0.18, store+you -0.12, store>iam 0.28, store>me -0.1, store>norms -0.13, store>store
0.49, telling+they 0.16, telling+trigger 0.25, telling+unseen 0.34, telling+vocative -0.16, telling>asking 0.36,
telling>core -0.21, telling>detail 0.22, telling>fixed 0.22, telling>goodrole -0.1, telling>harm 0.24, telling>iam 0.12,
telling>mustdo -0.17, telling>neg 0.26, telling>norms -0.34, telling>praise 0.12, telling>prior -0.22, telling>rank
0.13, telling>saysure 0.14, telling>secretive 0.12, telling>show -0.51, telling>tools 0.2, telling>unseen 0.18,
telling>vocative -0.25, telling>you 0.17, test+things -0.23, test>about 0.13, test>test 0.31, test>things -0.28,
test>you 0.26, they+things 0.11, they+tools 0.39, they+unchecked -0.2, they+update 0.3, they+vocative -0.16, they+voided
0.13, they>actonit 0.31, they>given 0.15, they>outside 0.12, they>prior -0.18, they>rank -0.12, they>secretive -0.11,
they>sendoff -0.14, they>shed -0.35, they>spoils -0.13, they>stakes 0.24, they>telling 0.12, they>they -0.12, they>url
0.16, they>vocative -0.1, they>voided 0.15, things -0.39, things+tools -0.32, things+trigger -0.41, things+vocative
-0.25, things+voided -0.11, things+you 0.21, things>about -0.13, things>actonit 0.16, things>begin -0.13, things>exactly
0.39, things>fixed 0.39, things>format 0.14, things>goodrole -0.12, things>neg 0.13, things>norms 0.15, things>outside
0.1, things>please -0.18, things>preface 0.3, things>reader -0.13, things>says -0.16, things>secretive 0.11, things>shed
-0.17, things>show -0.18, things>they 0.28, things>things -0.17, things>trigger -0.21, things>unchecked 0.17,
things>unseen 0.14, things>vocative -0.29, things>voided 0.18, things>you 1, tools -0.12, tools+unseen 0.18,
tools+vocative -0.33, tools>given 0.12, tools>modal 0.61, tools>mode -0.12, tools>mustdo 0.25, tools>norms 0.18,
tools>payout 0.49, tools>prior -0.24, tools>rank 0.11, tools>says 0.18, tools>secretive 0.18, tools>sendoff -0.14,
tools>spoils 0.39, tools>they 0.38, tools>things -0.13, tools>tools 0.49, tools>trigger 0.28, tools>url 0.12,
tools>vocative -0.21, tools>you 0.37, trigger -0.23, trigger+unseen 0.23, trigger+update 0.16, trigger+you 0.13,
trigger>begin -0.1, trigger>frame -0.1, trigger>given -0.35, trigger>iam 0.19, trigger>judge -0.17, trigger>mustdo 0.2,
trigger>neg -0.14, trigger>norefuse 0.15, trigger>norms 0.32, trigger>page 0.15, trigger>prior 0.37, trigger>reader
0.68, trigger>says 0.42, trigger>sendoff -0.2, trigger>shed 0.15, trigger>show 0.11, trigger>spoils -0.15,
trigger>things -0.19, trigger>tools -0.16, trigger>trigger 0.16, trigger>unseen 0.19, trigger>you -0.14,
unchecked+unseen 0.32, unchecked+you -0.31, unchecked>given -0.11, unchecked>me -0.15, unchecked>neg 0.12,
unchecked>norefuse -0.15, unchecked>page 0.1, unchecked>payout -0.21, unchecked>permit 0.38, unchecked>prior -0.28,
unchecked>reader 0.21, unchecked>things -0.33, unchecked>tools -0.1, unchecked>trigger -0.16, unchecked>unchecked 0.44,
unchecked>unseen 0.14, unchecked>you -0.18, unseen 0.23, unseen+vocative 0.14, unseen+you 0.52, unseen>code -0.11,
unseen>given -0.12, unseen>neg 0.51, unseen>norms -0.11, unseen>shed -0.11, unseen>telling -0.12, unseen>things -0.17,
unseen>trigger 0.1, unseen>unseen 0.47, update+vocative -0.11, update+voided -0.36, update+you -0.26, update>modal
-0.12, update>norms -0.28, update>spoils 0.11, update>they 0.23, update>update 0.42, update>voided -0.35, url 0.14,
url+you 0.11, url>begin 0.16, url>code 0.29, url>neg 0.18, url>sendoff 0.19, url>spoils 0.38, url>tools 0.19, vocative
-0.13, vocative>given 0.4, vocative>judge 0.38, vocative>me 0.17, vocative>modal -0.21, vocative>mustdo 0.12,
vocative>neg 0.21, vocative>norms 0.41, vocative>page 0.2, vocative>rank -0.31, vocative>reader 0.89, vocative>sendoff
0.18, vocative>things -0.21, vocative>trigger -0.1, vocative>you 0.28, voided+you 0.32, voided>me 0.23, voided>neg 0.25,
voided>norms -0.11, voided>now 0.31, voided>prior -0.14, voided>shed -0.17, voided>vocative 0.12, voided>you 0.17, you
0.35, you>actonit 0.21, you>cleared 0.23, you>code -0.44, you>exactly -0.15, you>format -0.32, you>fresh 0.33,
you>goodrole -0.86, you>iam -0.12, you>judge 0.22, you>liberty 0.8, you>mask 0.42, you>me -0.23, you>modal 0.1,
you>mustdo 0.16, you>neg 0.48, you>norefuse 0.17, you>norms 0.65, you>obeyme 0.14, you>outside 0.1, you>page 0.21,
you>please -0.1, you>praise 0.17, you>preface -0.34, you>reader 0.2, you>says -0.28, you>shed 0.77, you>softly 0.25,
you>spoils -0.43, you>telling 0.27, you>they 0.21, you>things 0.37, you>tools 0.24, you>trigger 0.18, you>unchecked
-0.17, you>unseen 0.54, you>vocative 0.18, you>voided 0.31, you>you 0.72
"""
WEIGHTS = {name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}
