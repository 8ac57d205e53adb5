"""The weights of ``proxy.guarding.leaning``, fitted by ``python -m tests.support.injections.lessons``; not to be edited.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms`` that
the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations

_TABLE = """
1 -1.47, ? -1.21, ^about -1.57, ^actonit 0.61, ^asking -1.05, ^cleared -0.4, ^code 0.14, ^core 0.36, ^detail 0.16,
^exactly 0.62, ^fixed 0.58, ^format -1.03, ^frame -0.43, ^given -0.5, ^goodrole -0.24, ^harm 0.28, ^iam 0.18, ^judge
-0.69, ^liberty 0.25, ^maker 0.17, ^mask 0.11, ^modal -0.11, ^mode -0.42, ^mustdo -0.29, ^neg -0.47, ^norefuse 0.24,
^norms -0.67, ^now 0.21, ^obeyme 0.49, ^outside -0.35, ^page -0.47, ^payout 0.17, ^permit 0.19, ^praise 0.25, ^prior
-0.5, ^rank -0.14, ^reader 0.68, ^ruin 0.38, ^says -0.22, ^saysure 0.75, ^secretive 0.25, ^shed -0.47, ^show -0.57,
^softly 0.1, ^spoils -0.53, ^telling 0.43, ^they -0.76, ^things -0.91, ^tools -0.55, ^trigger -1.24, ^unchecked -0.65,
^unseen 0.18, ^update 0.37, ^vocative -0.18, ^voided -0.17, ^you -0.24, about -0.24, about+code 0.17, about+given -0.21,
about+harm 0.27, about+judge -0.56, about+me -0.21, about+mode 0.14, about+mustdo -0.14, about+norms -0.38,
about+outside -0.31, about+prior -0.2, about+reader -0.2, about+sendoff 0.15, about+shed -0.3, about+show -0.41,
about+spoils -0.25, about+test 0.13, about+they -0.19, about+things -0.36, about+tools -0.13, about+vocative 0.12,
about+you -0.21, about>about -0.43, about>code 0.18, about>judge -0.16, about>mode 0.19, about>mustdo -0.14, about>page
0.21, about>reader -0.13, about>sendoff 0.17, about>shed -0.1, about>show -0.12, about>spoils -0.14, actonit 0.23,
actonit+decode 0.83, actonit+given 0.25, actonit+iam 0.16, actonit+me 0.17, actonit+modal 0.1, actonit+mustdo 0.31,
actonit+obeyme 0.52, actonit+says 0.21, actonit+secretive 0.23, actonit+sendoff 0.46, actonit+show 0.32, actonit+spoils
0.19, actonit+stakes 0.16, actonit+they 0.37, actonit+things 0.34, actonit+tools 0.11, actonit+trigger -0.12,
actonit+unseen 0.39, actonit+you 0.29, actonit>actonit 0.41, actonit>given 0.21, actonit>iam 0.16, actonit>modal 0.14,
actonit>norms -0.18, actonit>says 0.21, actonit>tools -0.21, actonit>unseen 0.38, actonit>you 0.1, asking -0.16,
asking+code 0.1, asking+given 0.19, asking+harm 0.6, asking+mask 0.18, asking+me -0.25, asking+modal -0.15, asking+mode
-0.15, asking+mustdo -0.23, asking+norefuse -0.11, asking+norms -0.48, asking+outside -0.15, asking+preface 0.48,
asking+prior 0.3, asking+rank -0.14, asking+sendoff -0.27, asking+shed -0.35, asking+show -0.18, asking+spoils -0.32,
asking+stakes -0.15, asking+they -0.29, asking+tools -0.13, asking+voided -0.12, asking+you 0.16, asking>asking -0.55,
asking>harm 0.55, asking>me -0.29, asking>modal -0.18, asking>mode -0.17, asking>neg -0.13, asking>norms -0.16,
asking>preface 0.5, asking>prior 0.23, asking>rank -0.11, asking>says -0.1, asking>sendoff -0.12, asking>shed -0.25,
asking>telling -0.17, asking>they -0.35, begin+fixed 0.13, begin+fresh -0.11, begin+given -0.16, begin+me -0.21,
begin+mustdo -0.14, begin+neg -0.1, begin+norms -0.31, begin+now -0.12, begin+page -0.1, begin+please -0.12,
begin+preface 0.4, begin+prior 0.1, begin+says -0.19, begin+shed -0.17, begin+spoils 0.18, begin+telling -0.18,
begin+trigger -0.19, begin+url 0.11, begin+you 0.25, begin>fixed 0.15, begin>fresh -0.15, begin>modal -0.12,
begin>mustdo 0.11, begin>show -0.14, begin>spoils 0.15, begin>things 0.11, begin>tools 0.12, begin>you 0.33, cleared+iam
0.26, cleared+me 0.22, cleared+modal 0.14, cleared+neg -0.22, cleared+norms 0.2, cleared+reader 0.14, cleared+shed 0.2,
cleared+tools 0.12, cleared+update -0.16, cleared+you 0.19, cleared>norefuse -0.11, cleared>norms 0.16, cleared>shed
0.18, code+core -0.11, code+goodrole -0.14, code+mail 0.16, code+mask -0.25, code+modal 0.18, code+norms 0.43,
code+outside 0.23, code+page 0.18, code+payout 0.25, code+permit 0.18, code+please -0.16, code+praise 0.31, code+rank
0.16, code+reader 0.13, code+secretive -0.14, code+show -0.44, code+stakes -0.15, code+telling 0.26, code+tools -0.12,
code+trigger -0.14, code+unchecked 0.14, code+update 0.11, code+url 0.9, code+you -0.43, code>core -0.11, code>goodrole
-0.11, code>mail 0.17, code>mask -0.23, code>modal 0.34, code>norms 0.42, code>outside 0.19, code>page 0.12, code>please
-0.1, code>praise 0.14, code>rank 0.17, code>reader 0.28, code>secretive -0.18, code>sendoff -0.1, code>shed 0.16,
code>show -0.2, code>spoils -0.27, code>things -0.11, code>update 0.12, code>url 0.67, code>you -0.34, core+exactly
0.42, core+me -0.23, core+modal 0.1, core+mustdo 0.12, core+norms 0.21, core+please 0.11, core+prior -0.21, core+reader
-0.4, core+show 0.62, core+stakes -0.12, core+telling -0.26, core+you -0.1, core>exactly 0.3, core>me -0.13, core>norms
-0.19, core>secretive -0.14, core>show 0.32, core>vocative -0.11, decode+iam 0.12, decode+me -0.17, decode+modal 0.18,
decode+secretive -0.11, decode+sendoff -0.12, decode+show -0.47, decode+they 0.15, decode+things -0.22, decode+tools
0.17, decode+url 0.12, decode+you -0.14, decode>actonit 0.69, decode>given -0.17, decode>me -0.15, decode>prior 0.13,
decode>secretive -0.12, decode>things -0.17, decode>tools 0.19, detail+frame 0.29, detail+goodrole 0.21, detail+harm
0.57, detail+judge 0.1, detail+norms -0.14, detail+reader 0.15, detail+sendoff 0.12, detail+spoils -0.12, detail+things
-0.26, detail+you -0.31, detail>asking -0.11, detail>harm 0.4, detail>me -0.27, detail>sendoff 0.22, detail>telling
-0.16, detail>you -0.16, exactly 0.14, exactly+given 0.25, exactly+norms 0.71, exactly+page -0.14, exactly+please -0.14,
exactly+preface 0.33, exactly+prior 0.53, exactly+secretive 0.27, exactly+show 1.09, exactly+they 0.12, exactly+things
0.11, exactly+trigger -0.1, exactly+you 0.27, exactly>norms 0.2, exactly>prior -0.14, exactly>show 0.39, exactly>you
0.15, fixed 0.15, fixed+given 0.21, fixed+me 0.17, fixed+mustdo 0.24, fixed+praise 0.11, fixed+says 0.24, fixed+sendoff
0.23, fixed+shed 0.19, fixed+show 0.24, fixed+telling 0.28, fixed+things 0.4, fixed+you 0.42, fixed>you 0.4, format
-0.19, format+me -0.12, format+modal -0.23, format+mustdo -0.19, format+neg -0.36, format+norms -0.17, format+now -0.25,
format+page -0.11, format+reader -0.37, format+stakes 0.11, format+telling -0.25, format+things -0.13, format+you -0.3,
format>neg -0.2, format>norms -0.1, format>page -0.14, format>reader -0.36, format>stakes 0.11, frame+harm 0.37,
frame+judge 0.23, frame+mask 0.11, frame+modal -0.23, frame+mustdo 0.1, frame+says -0.12, frame+shed -0.13, frame+things
-0.21, frame>asking -0.2, frame>frame 0.13, frame>modal -0.18, frame>neg 0.18, frame>trigger 0.12, frame>you 0.12,
fresh+given -0.13, fresh+me -0.16, fresh+modal -0.14, fresh+mustdo -0.11, fresh+neg -0.12, fresh+norms -0.19,
fresh+please -0.11, fresh+prior -0.12, fresh+shed -0.12, fresh+show -0.29, fresh+spoils 0.17, fresh+you 0.19,
fresh>things -0.18, given+maker 0.1, given+me 0.64, given+modal -0.2, given+mode -0.15, given+mustdo 0.21, given+neg
0.13, given+norms -0.16, given+now -0.15, given+obeyme 0.36, given+page -0.29, given+payout -0.29, given+permit 0.1,
given+please 0.2, given+praise 0.13, given+prior 0.29, given+rank 0.14, given+reader -0.44, given+ruin 0.12, given+says
-0.11, given+secretive 0.22, given+show -0.12, given+softly 0.28, given+spoils 0.28, given+stakes 0.12, given+telling
0.3, given+test -0.1, given+things 0.19, given+tools -0.22, given+unchecked 0.26, given+unseen 0.3, given+update -0.22,
given+vocative 0.26, given+voided 0.1, given+you 0.59, given>exactly 0.13, given>fixed 0.15, given>given -0.12,
given>mask -0.11, given>mustdo -0.38, given>neg -0.35, given>norms 0.14, given>obeyme 0.11, given>page -0.15,
given>praise 0.14, given>preface -0.26, given>prior 0.34, given>reader -0.15, given>secretive 0.22, given>shed -0.17,
given>softly 0.15, given>spoils 0.21, given>they -0.1, given>tools -0.13, given>unseen 0.15, given>vocative -0.31,
given>you 0.36, goodrole -0.11, goodrole+mask -0.71, goodrole+me -0.12, goodrole+mustdo -0.21, goodrole+neg -0.12,
goodrole+norms -0.25, goodrole+now -0.13, goodrole+outside 0.12, goodrole+reader -0.17, goodrole+sendoff 0.16,
goodrole+shed -0.11, goodrole+spoils 0.23, goodrole+things 0.16, goodrole+update 0.12, goodrole+vocative -0.14,
goodrole+you -0.92, goodrole>me -0.33, goodrole>mustdo -0.17, goodrole>reader -0.23, goodrole>show -0.14,
goodrole>things -0.16, harm 0.17, harm+mask 0.16, harm+me 0.66, harm+mustdo 0.37, harm+neg 0.17, harm+norms 0.1,
harm+page 0.18, harm+prior 0.1, harm+reader 0.25, harm+sendoff 0.22, harm+show 0.55, harm+telling 0.57, harm+things
0.24, harm+you 0.17, harm>page 0.18, harm>sendoff 0.18, harm>things 0.13, iam+judge 0.15, iam+modal 0.11, iam+mustdo
0.18, iam+norms 0.22, iam+now 0.2, iam+prior 0.22, iam+rank 0.56, iam+reader 0.15, iam+ruin 0.13, iam+shed 0.12,
iam+spoils -0.21, iam+store 0.27, iam+things -0.14, iam+you -0.11, iam>cleared 0.16, iam>mustdo 0.13, iam>norms 0.3,
iam>rank 0.54, iam>reader 0.12, iam>shed 0.13, judge+modal -0.21, judge+mustdo 0.17, judge+norms -0.15, judge+page -0.1,
judge+praise 0.89, judge+reader 0.26, judge+sendoff -0.11, judge+shed 0.14, judge+show 0.23, judge+spoils -0.2,
judge+things -0.16, judge+trigger -0.21, judge+vocative 0.31, judge>about -0.21, judge>given -0.12, judge>neg 0.17,
judge>norms -0.19, judge>praise 0.42, judge>reader 0.23, judge>spoils -0.12, judge>telling -0.11, judge>you 0.24,
liberty 0.27, liberty+mask 1.03, liberty+modal 0.42, liberty+mode 0.26, liberty+norefuse 0.22, liberty+norms 0.63,
liberty+now 0.17, liberty+prior 0.16, liberty+reader 0.38, liberty+shed 0.51, liberty+show 0.16, liberty+voided 0.11,
liberty+you 0.79, liberty>neg 0.15, liberty>norefuse 0.22, liberty>norms 0.23, liberty>reader 0.31, liberty>show 0.13,
liberty>voided 0.11, liberty>you -0.13, mail+neg 0.11, mail+page 0.35, mail+sendoff 0.61, mail+show 0.11, mail+spoils
0.44, mail+you 0.29, mail>neg 0.11, maker+me 0.3, maker+modal 0.22, maker+mustdo 0.11, maker+norms 0.19, maker+prior
0.33, maker+sendoff -0.12, maker+shed -0.13, maker+show 0.24, maker+they 0.16, maker+things 0.17, maker+update 0.18,
maker+voided 0.14, maker+you 0.34, maker>modal 0.13, maker>prior 0.21, maker>things 0.12, maker>voided 0.12, maker>you
0.2, mask+me -0.34, mask+modal -0.11, mask+neg 0.48, mask+norefuse 0.24, mask+norms 0.28, mask+now 0.13, mask+obeyme
0.12, mask+outside 0.11, mask+page -0.28, mask+please -0.1, mask+prior -0.21, mask+reader 0.63, mask+says -0.17,
mask+sendoff -0.19, mask+show -0.32, mask+stakes -0.14, mask+things -0.29, mask+tools -0.18, mask+voided 0.11, mask+you
0.41, mask>asking 0.11, mask>code -0.2, mask>goodrole -0.43, mask>liberty 1.03, mask>mask 0.23, mask>neg 0.28,
mask>norefuse 0.24, mask>norms 0.11, mask>reader 0.57, mask>telling 0.14, mask>things -0.11, mask>trigger 0.16, mask>you
-0.31, me+modal 0.17, me+mustdo -0.23, me+norefuse 0.42, me+norms 0.43, me+now -0.16, me+obeyme 0.73, me+outside 0.2,
me+page -0.31, me+permit 0.22, me+please -0.27, me+preface 0.2, me+prior 0.35, me+rank -0.15, me+reader -0.3, me+says
0.13, me+saysure 0.16, me+secretive -0.23, me+sendoff 0.16, me+shed -0.16, me+show -0.15, me+softly 0.13, me+spoils
0.15, me+stakes -0.34, me+store -0.23, me+things -0.2, me+tools 0.24, me+unchecked 0.22, me+unseen 0.39, me+update
-0.17, me+url -0.22, me+voided 0.45, me+you 0.12, me>actonit 0.2, me>begin -0.17, me>cleared 0.13, me>core -0.16,
me>detail 0.24, me>exactly 0.11, me>fixed 0.34, me>given -0.12, me>goodrole 0.18, me>harm 0.34, me>me -0.34, me>modal
-0.17, me>mustdo 0.16, me>neg 0.22, me>norms -0.14, me>now -0.12, me>page -0.21, me>please -0.29, me>prior -0.57,
me>rank 0.12, me>reader -0.12, me>says -0.31, me>shed -0.44, me>show -0.12, me>spoils 0.28, me>stakes -0.18, me>things
-0.48, me>tools -0.16, me>unchecked 0.11, me>unseen 0.27, me>vocative -0.28, me>voided 0.25, modal -0.13, modal+mode
0.44, modal+mustdo 0.16, modal+neg -0.3, modal+page -0.14, modal+payout -0.16, modal+permit 0.22, modal+rank 0.41,
modal+ruin 0.12, modal+shed -0.52, modal+show -0.15, modal+telling 0.24, modal+they -0.15, modal+tools 0.45,
modal+trigger -0.24, modal+unchecked 0.13, modal+unseen 0.15, modal+update -0.19, modal+vocative -0.22, modal+you 0.34,
modal>begin 0.13, modal>code 0.38, modal>decode 0.15, modal>format -0.18, modal>given -0.13, modal>iam 0.15,
modal>liberty 0.24, modal>me 0.15, modal>mode 0.55, modal>mustdo 0.19, modal>neg 0.2, modal>please -0.15, modal>prior
0.24, modal>ruin 0.22, modal>shed 0.26, modal>show -0.25, modal>telling 0.18, modal>you 0.22, mode+neg 0.16, mode+norms
0.12, mode+show -0.19, mode+spoils -0.1, mode+things -0.26, mode+tools -0.14, mode>given -0.11, mode>liberty 0.22,
mode>neg 0.24, mode>norms 0.31, mustdo+neg -0.18, mustdo+norms -0.17, mustdo+obeyme 0.1, mustdo+payout 0.13,
mustdo+permit 0.21, mustdo+praise 0.24, mustdo+reader 0.14, mustdo+ruin 0.1, mustdo+saysure -0.1, mustdo+store 0.11,
mustdo+telling 0.49, mustdo+tools 0.16, mustdo+trigger 0.29, mustdo+unseen 0.19, mustdo+url 0.1, mustdo+vocative 0.25,
mustdo+you 0.22, mustdo>about 0.12, mustdo>actonit 0.21, mustdo>begin -0.14, mustdo>core 0.12, mustdo>format -0.22,
mustdo>given -0.17, mustdo>iam 0.48, mustdo>me 0.18, mustdo>mustdo 0.19, mustdo>norms -0.27, mustdo>obeyme 0.1,
mustdo>page -0.31, mustdo>permit 0.21, mustdo>praise 0.17, mustdo>prior -0.18, mustdo>rank 0.1, mustdo>reader -0.24,
mustdo>secretive 0.22, mustdo>show -0.34, mustdo>store 0.15, mustdo>telling -0.44, mustdo>they 0.14, mustdo>unseen 0.11,
mustdo>you 0.21, neg+norefuse 0.72, neg+norms 0.26, neg+now 0.13, neg+obeyme 0.14, neg+page 0.11, neg+payout 0.25,
neg+permit 0.41, neg+please -0.39, neg+praise 0.37, neg+preface 0.43, neg+prior 0.27, neg+reader 0.4, neg+ruin 0.33,
neg+says 0.12, neg+saysure 0.31, neg+secretive -0.19, neg+sendoff 0.13, neg+shed -0.57, neg+show -0.31, neg+softly 0.27,
neg+spoils -0.12, neg+stakes 0.16, neg+telling 1.07, neg+they 0.34, neg+things -0.32, neg+trigger 0.21, neg+unchecked
0.99, neg+unseen 0.59, neg+update 0.23, neg+url 0.17, neg+vocative 0.26, neg+voided 0.29, neg+you 0.59, neg>about 0.19,
neg>asking 0.19, neg>cleared -0.1, neg>format -0.15, neg>given -0.16, neg>goodrole -0.17, neg>judge 0.17, neg>modal
-0.38, neg>mustdo -0.17, neg>neg -0.42, neg>norefuse 0.67, neg>norms 0.54, neg>now -0.1, neg>obeyme 0.19, neg>please
-0.23, neg>prior -0.16, neg>saysure 0.29, neg>secretive -0.2, neg>sendoff -0.22, neg>show -0.13, neg>softly 0.25,
neg>spoils -0.54, neg>stakes -0.14, neg>telling 0.59, neg>they 0.45, neg>things -0.32, neg>tools -0.24, neg>trigger
-0.21, neg>unchecked 0.92, neg>unseen 0.2, neg>update 0.44, neg>you 0.19, norefuse+prior 0.16, norefuse+reader -0.19,
norefuse+things -0.14, norefuse+unchecked -0.12, norefuse+you 0.34, norefuse>me 0.17, norefuse>mustdo -0.11,
norefuse>neg 0.23, norefuse>reader 0.31, norefuse>trigger -0.12, norms 0.52, norms+now 0.48, norms+obeyme 0.43,
norms+outside -0.24, norms+page -0.49, norms+payout -0.25, norms+please 0.37, norms+prior 0.33, norms+reader -0.58,
norms+ruin 0.12, norms+says -0.32, norms+saysure 0.26, norms+secretive 0.44, norms+sendoff -0.28, norms+shed 0.41,
norms+show 0.21, norms+spoils -0.11, norms+telling -0.29, norms+they -0.1, norms+things -0.48, norms+tools -0.4,
norms+trigger 0.45, norms+unchecked -0.24, norms+update 0.24, norms+vocative -0.21, norms+voided 0.53, norms+you 0.8,
norms>about -0.3, norms>begin -0.2, norms>code 0.46, norms>exactly 0.35, norms>iam -0.14, norms>liberty 0.57,
norms>maker 0.27, norms>mask -0.16, norms>me 0.43, norms>modal -0.11, norms>mode -0.18, norms>neg 0.16, norms>norefuse
-0.15, norms>now 0.29, norms>obeyme 0.44, norms>page -0.2, norms>payout 0.12, norms>please 0.21, norms>prior -0.15,
norms>says -0.21, norms>secretive 0.43, norms>sendoff -0.13, norms>shed 0.65, norms>show 0.52, norms>telling 0.16,
norms>things -0.23, norms>tools -0.19, norms>update 0.49, norms>vocative -0.27, norms>voided 0.41, norms>you -0.26,
now+obeyme 0.13, now+prior 0.17, now+says -0.11, now+things -0.24, now+update 0.16, now+voided 0.28, now+you 0.16,
now>format -0.11, now>liberty 0.17, now>neg 0.18, now>now 0.18, now>obeyme 0.13, now>shed -0.1, obeyme 0.15,
obeyme+prior 0.26, obeyme+shed 0.6, obeyme+show 0.15, obeyme+telling 0.11, obeyme+they 0.24, obeyme+things 0.37,
obeyme+vocative 0.11, obeyme+you 0.39, obeyme>given 0.11, obeyme>me 0.25, obeyme>obeyme 0.16, obeyme>telling 0.11,
obeyme>they 0.13, obeyme>things 0.23, outside+reader -0.23, outside+secretive 0.11, outside+sendoff 0.54, outside+shed
-0.14, outside+show 0.19, outside+spoils 0.77, outside+telling -0.14, outside+things 0.64, outside+url -0.12,
outside+you 0.18, outside>reader -0.18, outside>things 0.59, page+payout 0.26, page+please -0.13, page+praise -0.14,
page+preface -0.12, page+prior -0.34, page+rank -0.18, page+ruin 0.17, page+says -0.23, page+secretive -0.1,
page+sendoff -0.45, page+shed -0.22, page+show -0.14, page+spoils 0.24, page+stakes -0.15, page+telling 0.28, page+they
-0.12, page+things -0.11, page+tools -0.17, page+trigger 0.11, page+unchecked 0.22, page+unseen 0.34, page+vocative
0.23, page+voided -0.11, page>mail 0.22, page>me -0.15, page>modal -0.14, page>mustdo 0.3, page>neg 0.21, page>norms
0.14, page>page 0.24, page>payout 0.24, page>reader -0.29, page>sendoff 0.17, page>show -0.23, page>things -0.11,
page>tools -0.17, payout+permit 0.23, payout+prior -0.19, payout+says -0.11, payout+secretive 0.25, payout+sendoff
-0.11, payout+show 0.12, payout+things -0.15, payout+tools 0.51, payout+trigger 0.14, payout+unchecked 0.26,
payout+unseen 0.27, payout>mustdo 0.19, payout>payout 0.52, payout>prior -0.26, payout>tools 0.22, payout>trigger 0.11,
payout>unchecked 0.25, payout>unseen 0.11, payout>voided 0.16, payout>you 0.17, permit 0.12, permit+prior -0.13,
permit+rank 0.32, permit+reader 0.42, permit+spoils 0.13, permit+telling 0.16, permit+tools -0.16, permit+unchecked
0.44, permit+unseen 0.23, permit+you -0.17, permit>me 0.18, permit>modal 0.16, permit>neg 0.37, permit>norms -0.19,
permit>payout 0.2, permit>permit 0.36, permit>prior -0.15, permit>rank 0.25, permit>shed 0.1, permit>telling 0.17,
permit>unchecked 0.14, permit>unseen 0.21, permit>you -0.3, please -0.11, please+praise 0.13, please+preface 0.21,
please+reader 0.22, please+says -0.12, please+shed -0.61, please+show -0.16, please+softly 0.15, please+telling -0.21,
please+things -0.51, please+tools -0.14, please+update 0.11, please>exactly -0.22, please>modal 0.12, please>neg -0.11,
please>norms 0.24, please>prior 0.11, please>shed -0.37, please>show 0.13, please>spoils 0.12, please>telling -0.19,
please>things -0.35, please>vocative 0.13, praise 0.13, praise+reader 0.12, praise+says 0.13, praise+sendoff -0.18,
praise+shed 0.2, praise+telling 0.12, praise+trigger 0.14, praise+unchecked 0.32, praise+vocative 0.34, praise+you 0.24,
praise>code 0.14, praise>judge 0.57, praise>neg 0.24, praise>praise 0.37, praise>shed 0.17, preface 0.18, preface+prior
0.6, preface+reader -0.32, preface+secretive 0.37, preface+show 0.65, preface+softly 0.18, preface+test -0.1,
preface+things 0.32, preface+trigger 0.1, preface+you 0.16, preface>exactly 0.22, preface>given -0.31, preface>me -0.39,
preface>show 0.12, preface>spoils 0.2, preface>things 0.3, prior+rank 0.25, prior+reader 0.21, prior+ruin -0.35,
prior+says 0.11, prior+secretive 0.14, prior+shed 0.23, prior+show -0.14, prior+softly 0.22, prior+spoils -0.17,
prior+stakes 0.14, prior+telling -0.42, prior+test -0.11, prior+tools -0.37, prior+trigger 0.17, prior+unchecked -0.29,
prior+update -0.51, prior+url 0.17, prior+vocative -0.15, prior+you 0.43, prior>exactly 0.54, prior>goodrole 0.12,
prior>judge 0.11, prior>liberty 0.14, prior>mask -0.11, prior>mustdo 0.18, prior>neg 0.12, prior>norefuse 0.16,
prior>norms 0.2, prior>payout 0.2, prior>praise 0.15, prior>rank -0.11, prior>reader 0.26, prior>shed -0.44,
prior>spoils 0.16, prior>stakes 0.1, prior>they 0.12, prior>things -0.27, prior>trigger 0.23, prior>update -0.19,
prior>url 0.12, prior>voided -0.27, prior>you 0.41, rank+shed -0.2, rank+show -0.18, rank+store 0.13, rank+things -0.34,
rank+vocative -0.35, rank+voided -0.31, rank+you 0.31, rank>code 0.21, rank>given 0.1, rank>modal -0.29, rank>mustdo
-0.25, rank>prior 0.17, rank>spoils 0.1, rank>things -0.15, rank>voided -0.25, rank>you 0.38, reader 0.2, reader+says
-0.15, reader+secretive -0.45, reader+sendoff -0.5, reader+shed -0.24, reader+show -0.51, reader+store -0.18,
reader+telling 0.2, reader+test -0.24, reader+they -0.16, reader+trigger 0.46, reader+unseen 0.27, reader+vocative 1.08,
reader+you -0.3, reader>cleared 0.12, reader>core -0.22, reader>detail 0.16, reader>given -0.2, reader>judge 0.25,
reader>me -0.15, reader>mustdo 0.22, reader>norefuse -0.37, reader>norms -0.44, reader>page 0.4, reader>payout -0.13,
reader>permit 0.34, reader>please 0.27, reader>preface -0.33, reader>prior -0.13, reader>reader 0.58, reader>secretive
-0.22, reader>sendoff -0.19, reader>show -0.86, reader>stakes -0.14, reader>store -0.13, reader>telling -0.21,
reader>tools 0.11, reader>unchecked -0.38, reader>vocative 0.36, reader>you -0.11, ruin+shed 0.46, ruin+show 0.13,
ruin+spoils -0.12, ruin+telling 0.48, ruin+things 0.11, ruin+unseen 0.32, ruin+you 0.11, ruin>mustdo 0.11, ruin>neg
0.22, ruin>norms 0.13, ruin>page 0.17, ruin>prior -0.29, ruin>show 0.16, ruin>spoils -0.12, ruin>telling 0.33,
ruin>things 0.15, ruin>unseen 0.31, ruin>you 0.12, says+spoils 0.13, says+telling 0.46, says+they 0.12, says+things
0.15, says+tools 0.19, says+trigger 0.39, says+you -0.14, says>given 0.12, says>payout -0.11, says>prior 0.15, says>says
0.52, says>telling 0.22, says>things 0.16, saysure 0.13, saysure+telling 0.21, saysure>me 0.16, saysure>norms 0.28,
secretive+show 0.43, secretive+spoils 0.17, secretive+stakes -0.16, secretive+they 0.18, secretive+things 0.22,
secretive+tools 0.15, secretive+trigger -0.12, secretive+unseen 0.43, secretive+url 0.12, secretive+you 0.45,
secretive>exactly 0.17, secretive>given 0.17, secretive>mustdo -0.12, secretive>neg -0.1, secretive>preface 0.1,
secretive>prior 0.16, secretive>show 0.2, secretive>spoils 0.35, secretive>they 0.26, secretive>things 0.19,
secretive>you 0.31, sendoff+shed -0.17, sendoff+show -0.44, sendoff+softly 0.19, sendoff+spoils 0.72, sendoff+store
0.16, sendoff+they 0.19, sendoff+unchecked 0.18, sendoff+unseen 0.23, sendoff+url 0.78, sendoff+vocative -0.1,
sendoff>actonit 0.3, sendoff>begin 0.14, sendoff>given -0.15, sendoff>goodrole 0.16, sendoff>mail 0.33, sendoff>outside
0.35, sendoff>page -0.23, sendoff>payout -0.17, sendoff>reader -0.35, sendoff>sendoff -0.17, sendoff>show -0.13,
sendoff>spoils 0.47, sendoff>stakes 0.11, sendoff>telling -0.24, sendoff>they 0.62, sendoff>things -0.11, sendoff>tools
0.11, sendoff>url 0.95, sendoff>vocative -0.29, shed -0.14, shed+show 0.32, shed+softly 0.18, shed+stakes 0.23,
shed+test 0.17, shed+they -0.38, shed+things -0.59, shed+tools -0.12, shed+unchecked 0.68, shed+unseen 0.2, shed+update
-0.14, shed+voided -0.25, shed>code 0.14, shed>core -0.2, shed>given 0.25, shed>iam -0.21, shed>judge 0.21, shed>liberty
0.3, shed>maker -0.14, shed>me -0.49, shed>modal -0.29, shed>mustdo 0.24, shed>norms 0.35, shed>now 0.18, shed>obeyme
0.34, shed>please -0.1, shed>prior -0.14, shed>rank -0.2, shed>secretive -0.16, shed>shed -0.16, shed>show 0.34,
shed>test 0.11, shed>things -0.32, shed>trigger -0.19, shed>unchecked 0.8, shed>unseen 0.22, shed>you 0.34, show -0.21,
show+softly 0.16, show+spoils 0.3, show+store -0.12, show+they 0.33, show+things 0.13, show+trigger -0.44,
show+unchecked -0.17, show+unseen 0.33, show+update -0.13, show+url 0.19, show+vocative -0.42, show+voided -0.14,
show+you 0.3, show>about -0.12, show>actonit 0.11, show>code -0.13, show>core 0.37, show>decode -0.14, show>fixed 0.23,
show>fresh -0.17, show>given 0.21, show>harm 0.23, show>judge 0.22, show>maker 0.22, show>mask -0.14, show>me 0.41,
show>modal -0.2, show>mode -0.14, show>mustdo 0.26, show>neg -0.27, show>permit 0.17, show>please -0.16, show>praise
-0.11, show>preface 0.38, show>prior 0.21, show>reader 0.22, show>sendoff -0.12, show>shed -0.15, show>show -0.65,
show>spoils 0.19, show>telling -0.37, show>tools 0.39, show>trigger -0.44, show>vocative -0.35, show>you -0.14,
softly+trigger 0.19, softly+vocative 0.15, softly+you 0.34, softly>maker -0.12, softly>me 0.1, softly>neg 0.16,
softly>prior 0.12, softly>sendoff 0.11, softly>shed 0.16, softly>show 0.18, spoils+they 0.3, spoils+trigger -0.11,
spoils+unchecked 0.46, spoils+unseen 0.53, spoils+update 0.12, spoils+url 0.78, spoils+vocative -0.15, spoils+voided
-0.29, spoils+you 0.31, spoils>about -0.25, spoils>asking -0.11, spoils>code -0.25, spoils>core 0.17, spoils>detail
-0.12, spoils>given 0.2, spoils>goodrole 0.18, spoils>mail 0.27, spoils>norms -0.17, spoils>outside 0.3, spoils>permit
0.17, spoils>prior -0.23, spoils>sendoff 0.11, spoils>shed -0.11, spoils>show -0.18, spoils>spoils 0.41, spoils>stakes
-0.16, spoils>store -0.11, spoils>they 0.33, spoils>tools -0.12, spoils>url 0.21, spoils>vocative -0.18, spoils>voided
-0.26, spoils>you 0.37, stakes+they 0.29, stakes+things -0.1, stakes+trigger 0.16, stakes+unseen 0.12, stakes+you 0.14,
stakes>asking -0.17, stakes>page -0.14, stakes>reader 0.16, stakes>sendoff -0.19, stakes>shed 0.16, stakes>spoils 0.15,
stakes>stakes 0.13, stakes>trigger 0.13, stakes>you 0.31, store+things -0.19, store+you -0.11, store>iam 0.27, store>me
-0.11, store>norms -0.1, store>store 0.49, store>you 0.11, telling 0.12, telling+they 0.22, telling+trigger 0.34,
telling+unseen 0.37, telling+vocative -0.21, telling>asking 0.36, telling>core -0.24, telling>detail 0.19, telling>fixed
0.21, telling>goodrole -0.11, telling>harm 0.24, telling>iam 0.11, telling>mustdo -0.18, telling>neg 0.28, telling>norms
-0.27, telling>prior -0.22, telling>rank 0.11, telling>secretive 0.12, telling>shed -0.12, telling>show -0.5,
telling>spoils -0.13, telling>they 0.13, telling>tools 0.17, telling>unseen 0.17, telling>vocative -0.29, telling>you
0.17, test+things -0.23, test>about 0.14, test>test 0.32, test>things -0.27, test>you 0.26, they+things 0.13, they+tools
0.41, they+unchecked -0.12, they+update 0.25, they+vocative -0.12, they+voided 0.17, they>actonit 0.31, they>given 0.14,
they>modal -0.11, they>outside 0.12, they>prior -0.13, they>rank -0.11, they>sendoff -0.12, they>shed -0.38, they>stakes
0.21, they>telling 0.15, they>they -0.11, they>url 0.13, they>voided 0.14, things -0.39, things+tools -0.28,
things+trigger -0.42, things+vocative -0.23, things+voided -0.14, things+you 0.17, things>about -0.13, things>actonit
0.13, things>begin -0.15, things>exactly 0.38, things>fixed 0.36, things>format 0.13, things>given -0.11,
things>goodrole -0.12, things>mode -0.1, things>neg 0.18, things>norms 0.15, things>outside 0.13, things>please -0.19,
things>preface 0.28, things>says -0.15, things>secretive 0.11, things>shed -0.19, things>show -0.19, things>they 0.26,
things>things -0.17, things>trigger -0.22, things>unchecked 0.18, things>unseen 0.14, things>vocative -0.21,
things>voided 0.18, things>you 0.98, tools -0.11, tools+unseen 0.19, tools+vocative -0.34, tools>modal 0.59, tools>mode
-0.11, tools>mustdo 0.24, tools>norms 0.18, tools>payout 0.5, tools>prior -0.24, tools>rank 0.1, tools>says 0.16,
tools>secretive 0.19, tools>sendoff -0.14, tools>spoils 0.43, tools>they 0.36, tools>things -0.13, tools>tools 0.58,
tools>trigger 0.26, tools>vocative -0.2, tools>you 0.37, trigger -0.21, trigger+unseen 0.23, trigger+update 0.13,
trigger+you 0.11, trigger>begin -0.11, trigger>frame -0.1, trigger>given -0.41, trigger>iam 0.17, trigger>judge -0.18,
trigger>mustdo 0.19, trigger>neg -0.11, trigger>norefuse 0.15, trigger>norms 0.35, trigger>page 0.14, trigger>prior
0.34, trigger>reader 0.66, trigger>says 0.36, trigger>secretive -0.12, trigger>sendoff -0.2, trigger>shed 0.14,
trigger>show 0.12, trigger>spoils -0.18, trigger>things -0.2, trigger>tools -0.17, trigger>trigger 0.19, trigger>unseen
0.19, trigger>you -0.12, unchecked+unseen 0.31, unchecked+you -0.3, unchecked>code 0.2, unchecked>me -0.15,
unchecked>neg 0.15, unchecked>norefuse -0.12, unchecked>page 0.12, unchecked>payout -0.23, unchecked>permit 0.3,
unchecked>prior -0.27, unchecked>reader 0.28, unchecked>things -0.32, unchecked>trigger -0.12, unchecked>unchecked 0.38,
unchecked>unseen 0.13, unchecked>you -0.16, unseen 0.23, unseen+vocative 0.12, unseen+you 0.51, unseen>given -0.12,
unseen>neg 0.48, unseen>norms -0.14, unseen>shed -0.14, unseen>telling -0.12, unseen>things -0.16, unseen>unseen 0.47,
update+vocative -0.11, update+voided -0.35, update+you -0.24, update>modal -0.12, update>norms -0.3, update>spoils 0.11,
update>they 0.19, update>update 0.41, update>voided -0.32, url 0.15, url>begin 0.11, url>code 0.56, url>neg 0.16,
url>sendoff 0.15, url>spoils 0.34, url>tools 0.12, vocative>given 0.31, vocative>judge 0.34, vocative>me 0.18,
vocative>modal -0.2, vocative>mustdo 0.1, vocative>neg 0.16, vocative>norms 0.35, vocative>page 0.17, vocative>rank
-0.35, vocative>reader 0.97, vocative>sendoff 0.17, vocative>things -0.23, vocative>trigger -0.11, vocative>you 0.29,
voided+you 0.3, voided>me 0.22, voided>neg 0.3, voided>norms -0.15, voided>now 0.3, voided>prior -0.14, voided>shed
-0.17, voided>vocative 0.12, voided>you 0.16, you 0.33, you>actonit 0.21, you>cleared 0.25, you>code -0.54, you>exactly
-0.13, you>format -0.35, you>fresh 0.33, you>goodrole -0.87, you>iam -0.12, you>judge 0.23, you>liberty 0.78, you>maker
0.16, you>mask 0.41, you>me -0.24, you>modal 0.1, you>mustdo 0.14, you>neg 0.5, you>norefuse 0.16, you>norms 0.67,
you>obeyme 0.14, you>outside 0.11, you>page 0.24, you>praise 0.18, you>preface -0.34, you>reader 0.16, you>says -0.28,
you>sendoff 0.18, you>shed 0.79, you>softly 0.25, you>spoils -0.46, you>telling 0.26, you>they 0.16, you>things 0.36,
you>tools 0.23, you>trigger 0.17, you>unchecked -0.18, you>unseen 0.54, you>vocative 0.19, you>voided 0.32, you>you 0.72
"""
WEIGHTS = {name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}
