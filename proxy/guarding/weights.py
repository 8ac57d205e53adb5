"""The weights of ``proxy.guarding.leaning``, as ``python -m tests.support.injections.lessons`` fits them.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms``
that the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations

_TABLE = """
1 -1.81, ? -1.31, ^about -1.33, ^actonit 0.27, ^asking -0.92, ^begin -0.32, ^cleared -0.25, ^code 0.22, ^core 0.42,
^decode 0.1, ^detail 0.15, ^exactly 0.67, ^fixed 0.6, ^format -1.12, ^frame -0.39, ^given -0.49, ^goodrole -0.16, ^harm
0.25, ^judge -0.65, ^liberty 0.28, ^maker 0.31, ^mask 0.21, ^mode -0.37, ^mustdo -0.34, ^neg -0.66, ^norefuse 0.28,
^norms -0.64, ^now 0.2, ^obeyme 0.35, ^outside -0.37, ^page -0.51, ^payout 0.28, ^permit 0.48, ^preface 0.21, ^prior
-0.41, ^reader 0.62, ^ruin 0.46, ^says -0.14, ^saysure 0.49, ^secretive 0.33, ^shed -0.49, ^show -0.52, ^softly -0.18,
^spoils -0.52, ^store 0.12, ^telling 0.48, ^they -0.69, ^things -0.8, ^tools -0.47, ^trigger -1.14, ^unchecked -0.49,
^unseen 0.39, ^update 0.43, ^vocative -0.13, ^voided -0.11, ^you -0.23, about -0.23, about+code 0.11, about+given -0.2,
about+harm 0.27, about+judge -0.25, about+me -0.29, about+modal -0.24, about+mode 0.16, about+norms -0.42, about+outside
-0.26, about+preface -0.12, about+prior -0.19, about+reader -0.31, about+shed -0.35, about+show -0.29, about+spoils
-0.36, about+test 0.12, about+they -0.16, about+things -0.25, about+tools -0.12, about+you -0.26, about>about -0.33,
about>code 0.22, about>given -0.12, about>mode 0.19, about>norms -0.18, about>page 0.23, about>reader -0.21,
about>sendoff 0.1, about>shed -0.19, about>telling -0.15, about>you -0.14, actonit 0.22, actonit+code 0.16,
actonit+decode 0.71, actonit+iam 0.15, actonit+me -0.15, actonit+mustdo 0.32, actonit+norms -0.28, actonit+obeyme 0.42,
actonit+secretive 0.23, actonit+sendoff 0.5, actonit+show 0.26, actonit+spoils 0.2, actonit+stakes 0.15, actonit+telling
-0.13, actonit+they 0.33, actonit+things 0.29, actonit+tools 0.19, actonit+trigger -0.13, actonit+unseen 0.42,
actonit+you 0.37, actonit>actonit 0.5, actonit>iam 0.17, actonit>modal 0.13, actonit>norms -0.37, actonit>things -0.1,
actonit>tools -0.17, actonit>unseen 0.41, actonit>you 0.12, asking -0.15, asking+cleared -0.14, asking+code 0.11,
asking+frame 0.12, asking+harm 0.65, asking+mask 0.16, asking+me -0.22, asking+modal -0.15, asking+mode -0.16,
asking+mustdo -0.23, asking+norms -0.33, asking+outside -0.1, asking+preface 0.48, asking+prior 0.38, asking+rank -0.19,
asking+sendoff -0.11, asking+shed -0.4, asking+show -0.12, asking+spoils -0.27, asking+they -0.25, asking+tools -0.12,
asking+trigger -0.13, asking+unchecked -0.1, asking+you 0.21, asking>about -0.1, asking>asking -0.52, asking>cleared
-0.12, asking>harm 0.56, asking>me -0.31, asking>modal -0.24, asking>mode -0.15, asking>preface 0.49, asking>prior 0.24,
asking>rank -0.11, asking>sendoff -0.12, asking>shed -0.22, asking>they -0.36, asking>things 0.11, asking>tools -0.1,
asking>you 0.21, begin+fixed 0.16, begin+frame -0.14, begin+given -0.13, begin+me -0.18, begin+mode -0.14, begin+norms
-0.27, begin+page -0.16, begin+preface 0.37, begin+says -0.16, begin+shed -0.12, begin+spoils 0.21, begin+telling -0.15,
begin+tools 0.11, begin+trigger -0.18, begin+url 0.13, begin+vocative -0.13, begin+voided -0.13, begin+you 0.34,
begin>fixed 0.16, begin>frame -0.12, begin>fresh -0.12, begin>modal -0.12, begin>mode -0.1, begin>mustdo 0.13,
begin>spoils 0.19, begin>things 0.12, begin>tools 0.13, begin>you 0.36, cleared+iam 0.26, cleared+mask -0.12, cleared+me
0.21, cleared+modal 0.18, cleared+neg -0.13, cleared+norms 0.25, cleared+reader 0.17, cleared+show 0.16, cleared+update
-0.1, cleared+voided 0.13, cleared+you 0.38, cleared>cleared 0.12, cleared>mustdo 0.11, cleared>norms 0.13, cleared>shed
0.19, cleared>update -0.1, cleared>voided 0.13, code+core -0.11, code+mail 0.2, code+mask -0.25, code+modal 0.11,
code+norms 0.38, code+outside 0.23, code+page 0.15, code+payout 0.31, code+permit 0.19, code+please -0.16, code+praise
0.33, code+rank 0.16, code+says 0.11, code+secretive -0.15, code+show -0.46, code+stakes -0.16, code+telling 0.22,
code+tools -0.12, code+trigger -0.14, code+unchecked 0.12, code+update 0.12, code+url 0.92, code+you -0.43, code>actonit
0.21, code>code -0.11, code>core -0.11, code>goodrole -0.11, code>mail 0.16, code>mask -0.22, code>modal 0.35, code>neg
0.13, code>norms 0.35, code>outside 0.18, code>page 0.12, code>please -0.11, code>praise 0.15, code>rank 0.17,
code>reader 0.25, code>secretive -0.18, code>shed 0.17, code>show -0.13, code>spoils -0.28, code>things -0.11,
code>update 0.12, code>url 0.73, code>you -0.38, core+exactly 0.45, core+format -0.12, core+me -0.11, core+mustdo 0.1,
core+norms 0.23, core+please 0.12, core+prior -0.23, core+reader -0.31, core+sendoff 0.12, core+shed 0.16, core+show
0.58, core+stakes -0.13, core+vocative -0.11, core>exactly 0.32, core>me -0.19, core>norms -0.27, core>secretive -0.15,
core>show 0.34, core>vocative -0.13, decode+iam 0.13, decode+me -0.33, decode+modal 0.14, decode+norms -0.2,
decode+prior 0.13, decode+reader -0.13, decode+sendoff -0.19, decode+shed -0.12, decode+show -0.34, decode+spoils 0.15,
decode+telling -0.1, decode+they 0.22, decode+things -0.35, decode+tools 0.13, decode+url 0.12, decode>actonit 0.69,
decode>code 0.15, decode>decode -0.14, decode>me -0.36, decode>prior 0.17, decode>show -0.24, decode>spoils 0.11,
decode>telling -0.2, decode>they 0.11, decode>things -0.19, decode>tools 0.13, detail+exactly -0.11, detail+frame 0.28,
detail+goodrole 0.21, detail+harm 0.59, detail+norms -0.14, detail+reader 0.13, detail+says -0.12, detail+sendoff 0.16,
detail+shed -0.1, detail+spoils -0.11, detail+things -0.4, detail+you -0.2, detail>harm 0.4, detail>me -0.27,
detail>says -0.1, detail>sendoff 0.23, exactly 0.13, exactly+given 0.27, exactly+goodrole -0.14, exactly+me -0.24,
exactly+modal -0.11, exactly+norms 0.66, exactly+page -0.13, exactly+preface 0.32, exactly+prior 0.63, exactly+secretive
0.34, exactly+sendoff 0.1, exactly+show 0.92, exactly+spoils -0.12, exactly+trigger -0.11, exactly+you 0.44,
exactly>norms 0.21, exactly>prior -0.12, exactly>show 0.34, exactly>things -0.19, exactly>you 0.11, fixed 0.16,
fixed+given 0.19, fixed+me 0.18, fixed+mustdo 0.3, fixed+page 0.11, fixed+praise 0.1, fixed+says 0.29, fixed+sendoff
0.23, fixed+show 0.22, fixed+telling 0.33, fixed+things 0.35, fixed+you 0.43, fixed>you 0.42, format -0.21, format+me
-0.25, format+modal -0.18, format+mustdo -0.2, format+neg -0.37, format+norms -0.29, format+now -0.23, format+please
-0.15, format+reader -0.48, format+telling -0.12, format+things -0.16, format+you -0.48, format>neg -0.2, format>reader
-0.28, format>things -0.16, frame+goodrole -0.13, frame+harm 0.35, frame+judge 0.15, frame+modal -0.26, frame+neg -0.18,
frame+norms 0.22, frame+shed -0.2, frame+things -0.25, frame>modal -0.25, frame>neg 0.14, frame>things -0.17,
frame>trigger 0.15, frame>you 0.15, fresh+me -0.15, fresh+prior -0.14, fresh+show -0.31, fresh+spoils 0.2, fresh+you
0.27, fresh>things -0.19, given+me 0.54, given+modal -0.18, given+mode -0.11, given+mustdo 0.28, given+neg 0.1,
given+norms -0.21, given+obeyme 0.35, given+page -0.4, given+payout -0.16, given+please 0.14, given+prior 0.18,
given+reader -0.63, given+softly 0.26, given+spoils 0.13, given+stakes 0.18, given+telling 0.48, given+test -0.23,
given+things 0.15, given+tools -0.22, given+unchecked 0.23, given+unseen 0.37, given+update -0.25, given+vocative 0.3,
given+you 0.87, given>exactly 0.14, given>fixed 0.14, given>me 0.23, given>modal -0.12, given>mustdo -0.26, given>neg
-0.12, given>norms 0.14, given>obeyme 0.12, given>page -0.15, given>praise 0.16, given>prior 0.41, given>reader -0.2,
given>secretive 0.16, given>softly 0.15, given>spoils 0.23, given>stakes 0.15, given>they -0.14, given>tools -0.23,
given>unseen 0.12, given>vocative -0.14, given>you 0.39, goodrole -0.1, goodrole+mask -0.7, goodrole+modal -0.11,
goodrole+mustdo -0.26, goodrole+neg -0.16, goodrole+outside 0.1, goodrole+page -0.12, goodrole+rank -0.17,
goodrole+reader -0.19, goodrole+show 0.12, goodrole+spoils 0.17, goodrole+things 0.23, goodrole+trigger -0.13,
goodrole+unseen -0.1, goodrole+update 0.2, goodrole+vocative -0.17, goodrole+you -0.88, goodrole>me -0.29,
goodrole>reader -0.14, goodrole>show -0.12, goodrole>telling 0.16, goodrole>things -0.18, harm 0.17, harm+mask 0.19,
harm+me 0.77, harm+modal 0.11, harm+mustdo 0.37, harm+neg 0.2, harm+reader 0.23, harm+sendoff 0.28, harm+show 0.6,
harm+telling 0.63, harm+things 0.28, harm+you 0.18, harm>sendoff 0.21, iam+judge 0.15, iam+mustdo 0.27, iam+norms 0.22,
iam+now 0.2, iam+prior 0.24, iam+rank 0.51, iam+reader 0.17, iam+ruin 0.11, iam+shed 0.11, iam+store 0.31, iam+telling
0.14, iam>cleared 0.15, iam>modal -0.18, iam>mustdo 0.2, iam>norms 0.28, iam>rank 0.49, iam>reader 0.12, judge+modal
-0.37, judge+mustdo 0.26, judge+norms -0.36, judge+praise 0.77, judge+reader 0.48, judge+show 0.33, judge+spoils -0.24,
judge+stakes 0.11, judge+things -0.36, judge+tools -0.18, judge+trigger -0.15, judge+vocative 0.54, judge>frame -0.11,
judge>judge 0.12, judge>neg 0.2, judge>norms -0.16, judge>praise 0.44, judge>reader 0.19, judge>spoils -0.11,
judge>things -0.17, judge>you 0.31, liberty 0.28, liberty+mask 1.02, liberty+modal 0.47, liberty+mode 0.26,
liberty+norefuse 0.22, liberty+norms 0.65, liberty+now 0.17, liberty+page -0.16, liberty+prior 0.22, liberty+reader
0.37, liberty+sendoff -0.21, liberty+shed 0.47, liberty+show 0.12, liberty+voided 0.13, liberty+you 0.73, liberty>neg
0.17, liberty>norefuse 0.22, liberty>norms 0.34, liberty>reader 0.31, liberty>you -0.14, mail+neg 0.13, mail+page 0.31,
mail+sendoff 0.42, mail+show 0.13, mail+spoils 0.52, mail+trigger 0.2, mail+you 0.27, mail>neg 0.14, maker+me 0.34,
maker+modal 0.24, maker+neg 0.19, maker+norms 0.28, maker+prior 0.33, maker+shed -0.18, maker+show 0.23, maker+they
0.35, maker+update 0.25, maker+vocative -0.13, maker+voided 0.14, maker+you 0.35, maker>given -0.12, maker>modal 0.14,
maker>neg 0.15, maker>prior 0.2, maker>voided 0.11, maker>you 0.15, mask+me -0.61, mask+neg 0.42, mask+norefuse 0.28,
mask+norms 0.3, mask+now 0.16, mask+obeyme 0.14, mask+outside 0.12, mask+page -0.32, mask+prior -0.2, mask+reader 0.66,
mask+says -0.16, mask+sendoff -0.22, mask+show -0.15, mask+stakes -0.12, mask+things -0.27, mask+tools -0.18,
mask+unseen 0.11, mask+voided 0.14, mask+you 0.38, mask>asking 0.13, mask>code -0.2, mask>goodrole -0.43, mask>liberty
1.04, mask>mask 0.14, mask>neg 0.23, mask>norefuse 0.27, mask>prior -0.12, mask>reader 0.58, mask>shed -0.1, mask>things
-0.12, mask>trigger 0.2, mask>unseen 0.11, mask>voided 0.12, mask>you -0.25, me+mustdo -0.14, me+norefuse 0.32, me+norms
0.44, me+now -0.16, me+obeyme 0.79, me+outside 0.26, me+page -0.45, me+permit 0.21, me+please -0.32, me+praise -0.15,
me+prior 0.24, me+reader -0.32, me+saysure 0.22, me+sendoff -0.11, me+stakes -0.27, me+store -0.21, me+telling -0.15,
me+test -0.16, me+they 0.14, me+trigger -0.17, me+unchecked 0.29, me+unseen 0.41, me+update -0.2, me+url -0.32,
me+voided 0.47, me>about -0.23, me>asking 0.12, me>begin -0.21, me>cleared 0.15, me>decode -0.13, me>detail 0.23,
me>fixed 0.36, me>frame 0.14, me>goodrole 0.23, me>harm 0.36, me>maker 0.12, me>mask -0.28, me>me -0.44, me>mustdo 0.22,
me>norms -0.2, me>page -0.22, me>please -0.32, me>prior -0.47, me>rank 0.2, me>says -0.37, me>shed -0.53, me>show -0.26,
me>spoils 0.4, me>stakes -0.14, me>telling -0.12, me>they 0.1, me>things -0.68, me>tools -0.25, me>trigger -0.23,
me>unchecked 0.41, me>unseen 0.25, me>vocative -0.29, me>voided 0.18, me>you 0.17, modal -0.13, modal+mode 0.46,
modal+neg -0.31, modal+norefuse -0.14, modal+norms -0.14, modal+outside 0.12, modal+page -0.15, modal+payout -0.23,
modal+permit 0.24, modal+rank 0.51, modal+ruin 0.14, modal+sendoff -0.19, modal+shed -0.49, modal+show -0.19,
modal+telling 0.36, modal+they -0.21, modal+tools 0.44, modal+trigger -0.36, modal+update -0.27, modal+url -0.19,
modal+vocative -0.3, modal+you 0.26, modal>begin 0.11, modal>code 0.41, modal>decode 0.16, modal>format -0.14, modal>iam
0.16, modal>liberty 0.23, modal>me 0.14, modal>mode 0.51, modal>mustdo 0.3, modal>neg 0.26, modal>norms 0.15,
modal>please -0.11, modal>prior 0.22, modal>rank -0.11, modal>ruin 0.23, modal>says -0.1, modal>shed 0.16, modal>show
-0.33, modal>telling 0.22, modal>unchecked 0.12, modal>url -0.2, modal>you 0.15, mode+neg 0.23, mode+norms 0.16,
mode+show -0.31, mode+spoils -0.11, mode+things -0.3, mode>liberty 0.21, mode>neg 0.25, mode>norms 0.3, mode>you 0.1,
mustdo+norefuse 0.14, mustdo+norms -0.24, mustdo+page 0.17, mustdo+payout 0.28, mustdo+permit 0.21, mustdo+please -0.11,
mustdo+praise 0.14, mustdo+reader 0.14, mustdo+ruin 0.15, mustdo+says 0.22, mustdo+secretive 0.18, mustdo+shed -0.16,
mustdo+spoils 0.18, mustdo+store 0.11, mustdo+telling 0.61, mustdo+tools 0.13, mustdo+trigger 0.32, mustdo+unseen 0.13,
mustdo+url 0.16, mustdo+vocative 0.27, mustdo+you 0.21, mustdo>actonit 0.18, mustdo>format -0.23, mustdo>given -0.13,
mustdo>iam 0.5, mustdo>judge 0.19, mustdo>me 0.22, mustdo>mustdo 0.2, mustdo>neg 0.15, mustdo>norefuse 0.22,
mustdo>norms -0.16, mustdo>page -0.3, mustdo>payout 0.13, mustdo>permit 0.21, mustdo>praise 0.1, mustdo>prior -0.2,
mustdo>rank 0.12, mustdo>reader -0.18, mustdo>says 0.12, mustdo>secretive 0.22, mustdo>sendoff -0.23, mustdo>shed -0.13,
mustdo>show -0.31, mustdo>spoils -0.15, mustdo>store 0.15, mustdo>telling -0.65, mustdo>they 0.16, mustdo>things -0.29,
mustdo>unchecked -0.12, mustdo>update 0.1, mustdo>you 0.31, neg 0.12, neg+norefuse 0.86, neg+now 0.22, neg+payout 0.23,
neg+permit 0.43, neg+please -0.69, neg+praise 0.37, neg+preface 0.3, neg+prior 0.39, neg+reader 0.35, neg+ruin 0.36,
neg+says 0.27, neg+saysure 0.4, neg+sendoff 0.15, neg+shed -0.79, neg+show -0.29, neg+softly 0.27, neg+stakes 0.14,
neg+telling 0.87, neg+test -0.25, neg+they 0.23, neg+things -0.32, neg+trigger 0.19, neg+unchecked 0.91, neg+unseen
0.58, neg+update 0.38, neg+url 0.17, neg+vocative 0.31, neg+voided 0.19, neg+you 0.55, neg>about 0.29, neg>actonit 0.19,
neg>asking 0.23, neg>code -0.15, neg>format -0.14, neg>given -0.13, neg>goodrole -0.14, neg>judge 0.19, neg>liberty
-0.1, neg>me 0.23, neg>modal -0.28, neg>mustdo -0.18, neg>neg -0.44, neg>norefuse 0.81, neg>norms 0.28, neg>obeyme 0.22,
neg>page 0.15, neg>payout -0.11, neg>please -0.2, neg>prior -0.3, neg>rank 0.17, neg>saysure 0.3, neg>secretive -0.16,
neg>sendoff -0.3, neg>show -0.11, neg>softly 0.24, neg>spoils -0.45, neg>stakes -0.16, neg>telling 0.78, neg>they 0.3,
neg>things -0.4, neg>tools -0.26, neg>trigger -0.23, neg>unchecked 0.85, neg>unseen 0.22, neg>update 0.48, neg>you 0.35,
norefuse+reader -0.3, norefuse+shed -0.12, norefuse+show -0.1, norefuse+spoils -0.11, norefuse+things -0.1, norefuse+you
0.34, norefuse>me 0.13, norefuse>neg 0.32, norefuse>reader 0.33, norefuse>trigger -0.13, norms 0.52, norms+now 0.53,
norms+obeyme 0.33, norms+outside -0.12, norms+page -0.56, norms+payout -0.18, norms+please 0.38, norms+preface -0.1,
norms+prior 0.28, norms+reader -0.43, norms+says -0.28, norms+saysure 0.3, norms+secretive 0.44, norms+sendoff -0.24,
norms+shed 0.33, norms+show 0.25, norms+softly 0.24, norms+store -0.11, norms+telling -0.33, norms+they -0.15,
norms+things -0.18, norms+tools -0.38, norms+trigger 0.4, norms+unchecked -0.25, norms+unseen 0.19, norms+update 0.3,
norms+vocative -0.2, norms+voided 0.66, norms+you 0.73, norms>about -0.38, norms>asking -0.16, norms>begin -0.21,
norms>code 0.52, norms>exactly 0.33, norms>given -0.11, norms>iam -0.1, norms>liberty 0.59, norms>maker 0.24, norms>me
0.59, norms>modal -0.19, norms>mode -0.11, norms>neg 0.11, norms>now 0.28, norms>obeyme 0.46, norms>page -0.28,
norms>please 0.25, norms>says -0.23, norms>secretive 0.47, norms>shed 0.66, norms>show 0.48, norms>spoils -0.16,
norms>telling 0.31, norms>tools -0.12, norms>trigger -0.21, norms>update 0.39, norms>vocative -0.28, norms>voided 0.48,
norms>you -0.36, now+obeyme 0.12, now+prior 0.17, now+says -0.1, now+things -0.22, now+update 0.2, now+voided 0.25,
now+you 0.24, now>format -0.12, now>iam 0.11, now>liberty 0.17, now>neg 0.18, now>now 0.16, now>obeyme 0.12, now>shed
-0.11, obeyme 0.16, obeyme+prior 0.39, obeyme+saysure 0.1, obeyme+sendoff 0.1, obeyme+shed 0.53, obeyme+show 0.2,
obeyme+telling 0.11, obeyme+they 0.21, obeyme+things 0.42, obeyme+tools -0.19, obeyme+vocative 0.21, obeyme+you 0.41,
obeyme>given 0.14, obeyme>me 0.28, obeyme>neg -0.29, obeyme>norms -0.23, obeyme>obeyme 0.16, obeyme>telling 0.14,
obeyme>they 0.11, obeyme>things 0.31, obeyme>tools -0.15, outside+page 0.13, outside+praise -0.13, outside+reader -0.38,
outside+secretive 0.12, outside+sendoff 0.61, outside+show 0.2, outside+spoils 0.73, outside+telling -0.13,
outside+things 0.66, outside+you 0.19, outside>reader -0.31, outside>things 0.6, page+payout 0.21, page+please -0.17,
page+prior -0.23, page+rank -0.25, page+ruin 0.17, page+says -0.26, page+secretive -0.21, page+sendoff -0.51, page+shed
-0.1, page+spoils 0.24, page+telling 0.38, page+things -0.14, page+tools -0.16, page+trigger 0.14, page+unchecked 0.16,
page+unseen 0.3, page+vocative 0.22, page>mail 0.17, page>mask -0.12, page>me -0.18, page>modal -0.14, page>mustdo 0.35,
page>page 0.11, page>payout 0.16, page>reader -0.15, page>sendoff 0.31, page>spoils -0.14, page>things -0.16, page>tools
-0.22, payout 0.12, payout+permit 0.21, payout+prior -0.13, payout+reader 0.15, payout+says -0.12, payout+secretive
0.23, payout+show 0.12, payout+telling 0.12, payout+test -0.11, payout+things -0.14, payout+tools 0.51, payout+trigger
0.1, payout+unchecked 0.26, payout+unseen 0.25, payout+vocative 0.17, payout+voided 0.12, payout>code 0.16,
payout>payout 0.5, payout>prior -0.25, payout>tools 0.23, payout>trigger 0.11, payout>unchecked 0.25, payout>voided
0.14, payout>you 0.15, permit 0.12, permit+rank 0.24, permit+reader 0.4, permit+shed -0.17, permit+spoils 0.21,
permit+telling 0.11, permit+things -0.17, permit+tools -0.14, permit+unchecked 0.35, permit+unseen 0.23, permit>me 0.2,
permit>modal 0.19, permit>neg 0.37, permit>norms -0.15, permit>payout 0.17, permit>permit 0.35, permit>rank 0.22,
permit>telling 0.18, permit>things -0.11, permit>unseen 0.19, permit>vocative -0.13, permit>you -0.12, please -0.15,
please+praise 0.13, please+preface 0.23, please+reader 0.19, please+sendoff -0.22, please+shed -0.42, please+show -0.36,
please+softly 0.3, please+spoils -0.16, please+telling -0.31, please+things -0.56, please+trigger -0.11,
please+unchecked -0.11, please+url -0.23, please+you -0.16, please>exactly -0.17, please>modal 0.11, please>neg -0.23,
please>norms 0.18, please>shed -0.36, please>telling -0.18, please>things -0.27, praise 0.1, praise+reader 0.21,
praise+sendoff -0.11, praise+shed 0.13, praise+telling 0.14, praise+things -0.12, praise+tools -0.21, praise+trigger
0.13, praise+unchecked 0.32, praise+vocative 0.37, praise>code 0.17, praise>judge 0.37, praise>neg 0.27, praise>praise
0.31, praise>shed 0.21, preface 0.18, preface+prior 0.61, preface+reader -0.51, preface+secretive 0.21, preface+sendoff
-0.11, preface+shed 0.18, preface+show 0.74, preface+spoils -0.27, preface+things 0.16, preface+vocative 0.2,
preface>exactly 0.27, preface>given -0.16, preface>me -0.23, preface>show 0.11, preface>spoils 0.14, preface>things
0.12, preface>you 0.12, prior+ruin -0.27, prior+shed 0.29, prior+show -0.13, prior+softly 0.31, prior+spoils -0.24,
prior+stakes 0.21, prior+telling -0.44, prior+test -0.19, prior+tools -0.29, prior+unchecked -0.19, prior+update -0.37,
prior+url 0.2, prior+voided -0.12, prior+you 0.44, prior>exactly 0.72, prior>format -0.1, prior>liberty 0.22, prior>mask
-0.1, prior>me 0.17, prior>mustdo 0.12, prior>norefuse 0.15, prior>norms 0.12, prior>obeyme 0.24, prior>payout 0.19,
prior>praise 0.15, prior>preface 0.23, prior>prior 0.31, prior>rank -0.31, prior>reader 0.13, prior>shed -0.58,
prior>show 0.2, prior>spoils 0.17, prior>test -0.11, prior>things -0.25, prior>trigger 0.2, prior>url 0.13, prior>voided
-0.37, prior>you 0.39, rank+shed -0.25, rank+store 0.13, rank+they -0.13, rank+things -0.41, rank+vocative -0.41,
rank+voided -0.29, rank+you 0.4, rank>code 0.23, rank>given 0.12, rank>modal -0.24, rank>neg 0.25, rank>norms 0.24,
rank>prior 0.16, rank>things -0.14, rank>update -0.15, rank>voided -0.25, rank>you 0.22, reader 0.2, reader+secretive
-0.47, reader+sendoff -0.43, reader+shed -0.1, reader+show -0.54, reader+telling 0.31, reader+test -0.25, reader+they
-0.24, reader+trigger 0.41, reader+unchecked 0.13, reader+unseen 0.33, reader+vocative 0.83, reader+you -0.58,
reader>cleared 0.13, reader>core -0.1, reader>detail 0.14, reader>format -0.19, reader>judge 0.33, reader>modal -0.12,
reader>neg 0.23, reader>norefuse -0.61, reader>norms -0.19, reader>page 0.17, reader>payout -0.14, reader>permit 0.24,
reader>please 0.24, reader>praise 0.14, reader>preface -0.29, reader>prior 0.13, reader>reader 0.58, reader>secretive
-0.28, reader>sendoff -0.25, reader>shed 0.11, reader>show -0.72, reader>stakes -0.15, reader>telling -0.24,
reader>tools 0.15, reader>unchecked -0.18, reader>vocative 0.49, reader>you -0.26, ruin+secretive -0.19, ruin+shed 0.48,
ruin+show 0.1, ruin+spoils -0.11, ruin+telling 0.51, ruin+unchecked 0.23, ruin+unseen 0.31, ruin+you 0.12, ruin>mustdo
0.14, ruin>neg 0.25, ruin>page 0.2, ruin>prior -0.22, ruin>secretive -0.19, ruin>show 0.14, ruin>spoils -0.11,
ruin>telling 0.31, ruin>things 0.11, ruin>unchecked 0.13, ruin>unseen 0.31, ruin>you 0.16, says+secretive 0.12,
says+spoils 0.19, says+telling 0.29, says+things 0.17, says+tools 0.22, says+trigger 0.41, says>given 0.12, says>page
-0.11, says>says 0.53, says>telling 0.24, saysure 0.1, saysure+telling 0.21, saysure>me 0.22, saysure>norms 0.29,
saysure>obeyme 0.1, secretive+show 0.5, secretive+spoils 0.32, secretive+stakes -0.16, secretive+they 0.11,
secretive+things 0.18, secretive+tools 0.16, secretive+trigger -0.22, secretive+unchecked -0.15, secretive+unseen 0.42,
secretive+update -0.11, secretive+you 0.19, secretive>decode 0.14, secretive>exactly 0.24, secretive>show 0.28,
secretive>spoils 0.22, secretive>telling 0.11, secretive>they 0.26, secretive>things 0.11, secretive>trigger -0.22,
secretive>you 0.3, sendoff+shed -0.27, sendoff+show -0.49, sendoff+softly 0.22, sendoff+spoils 0.65, sendoff+store 0.14,
sendoff+they 0.3, sendoff+things 0.13, sendoff+trigger -0.22, sendoff+unseen 0.23, sendoff+url 0.67, sendoff>actonit
0.29, sendoff>begin 0.16, sendoff>core 0.11, sendoff>decode -0.1, sendoff>goodrole 0.15, sendoff>mail 0.13,
sendoff>modal -0.21, sendoff>outside 0.38, sendoff>page -0.32, sendoff>payout -0.13, sendoff>preface -0.11,
sendoff>reader -0.23, sendoff>show -0.11, sendoff>spoils 0.28, sendoff>stakes 0.17, sendoff>telling -0.17, sendoff>they
0.71, sendoff>things -0.1, sendoff>tools 0.22, sendoff>url 0.49, sendoff>you -0.14, shed+show 0.26, shed+softly 0.19,
shed+stakes 0.28, shed+telling 0.18, shed+they -0.21, shed+things -0.62, shed+tools -0.24, shed+unchecked 0.71,
shed+unseen 0.16, shed+update -0.3, shed+voided -0.19, shed+you -0.45, shed>code 0.11, shed>given 0.25, shed>iam -0.17,
shed>judge 0.24, shed>liberty 0.24, shed>maker -0.22, shed>mask 0.1, shed>me -0.34, shed>modal -0.26, shed>mustdo 0.28,
shed>norms 0.63, shed>now 0.16, shed>obeyme 0.27, shed>says -0.21, shed>secretive -0.16, shed>sendoff 0.14, shed>shed
-0.25, shed>show 0.34, shed>telling 0.11, shed>they -0.15, shed>things -0.32, shed>tools -0.12, shed>trigger -0.2,
shed>unchecked 0.61, shed>unseen 0.22, shed>vocative -0.21, shed>you 0.41, show -0.19, show+softly 0.24, show+spoils
0.29, show+stakes 0.12, show+store -0.16, show+telling -0.14, show+test -0.12, show+they 0.28, show+trigger -0.7,
show+unchecked -0.17, show+unseen 0.24, show+url 0.15, show+vocative -0.44, show+you 0.2, show>about -0.14, show>actonit
-0.13, show>code -0.15, show>core 0.29, show>decode -0.14, show>detail 0.11, show>exactly -0.12, show>fixed 0.26,
show>fresh -0.19, show>given 0.25, show>goodrole 0.18, show>harm 0.24, show>judge 0.17, show>maker 0.21, show>mask
-0.16, show>me 0.35, show>modal -0.1, show>mode -0.23, show>mustdo 0.51, show>permit 0.18, show>please -0.12,
show>preface 0.47, show>reader 0.17, show>secretive -0.13, show>sendoff -0.13, show>show -0.61, show>spoils 0.4,
show>telling -0.25, show>tools 0.45, show>trigger -0.53, show>url 0.11, show>vocative -0.22, softly+trigger 0.21,
softly+vocative 0.12, softly+you 0.4, softly>given -0.12, softly>neg 0.13, softly>prior 0.23, softly>sendoff 0.11,
softly>shed 0.15, softly>show 0.24, spoils 0.11, spoils+store -0.1, spoils+telling 0.12, spoils+they 0.23, spoils+tools
-0.17, spoils+trigger -0.41, spoils+unchecked 0.44, spoils+unseen 0.48, spoils+update 0.16, spoils+url 0.7, spoils+you
0.5, spoils>about -0.22, spoils>code -0.3, spoils>core 0.13, spoils>goodrole 0.16, spoils>mail 0.35, spoils>neg 0.11,
spoils>outside 0.37, spoils>permit 0.21, spoils>please -0.18, spoils>prior -0.23, spoils>show -0.19, spoils>spoils 0.6,
spoils>stakes -0.12, spoils>telling 0.12, spoils>they 0.35, spoils>things 0.14, spoils>tools -0.28, spoils>trigger
-0.23, spoils>unseen 0.13, spoils>voided -0.12, spoils>you 0.39, stakes+they 0.28, stakes+trigger 0.15, stakes+unseen
0.12, stakes+you 0.15, stakes>asking -0.15, stakes>page -0.15, stakes>reader 0.14, stakes>sendoff -0.2, stakes>shed
0.18, stakes>spoils 0.15, stakes>stakes 0.13, stakes>trigger 0.12, stakes>you 0.28, store+things -0.14, store+tools
-0.12, store>iam 0.31, store>me -0.14, store>norms -0.15, store>store 0.49, store>you 0.15, telling 0.11, telling+they
0.29, telling+trigger 0.27, telling+unseen 0.43, telling+vocative -0.29, telling+you 0.19, telling>actonit -0.18,
telling>asking 0.4, telling>detail 0.15, telling>fixed 0.22, telling>given -0.13, telling>goodrole -0.13, telling>harm
0.26, telling>iam 0.13, telling>mask 0.13, telling>norms -0.46, telling>praise 0.11, telling>prior -0.24, telling>rank
0.11, telling>says -0.24, telling>show -0.33, telling>spoils -0.13, telling>they 0.11, telling>tools 0.11,
telling>trigger -0.12, telling>unseen 0.15, telling>vocative -0.25, telling>you 0.36, test+things -0.18, test+unchecked
-0.17, test+vocative -0.14, test+you -0.26, test>about 0.13, test>test 0.32, test>things -0.14, test>you 0.26, they
0.11, they+things 0.17, they+tools 0.4, they+update 0.27, they+you 0.31, they>actonit 0.3, they>modal -0.11, they>payout
0.11, they>sendoff -0.2, they>shed -0.32, they>stakes 0.2, they>telling 0.19, they>url 0.15, they>voided 0.12, they>you
0.12, things -0.36, things+tools -0.13, things+trigger -0.48, things+unchecked -0.22, things+unseen 0.2, things+vocative
-0.4, things+voided -0.17, things+you 0.35, things>about -0.1, things>actonit 0.15, things>begin -0.19, things>decode
-0.14, things>exactly 0.19, things>fixed 0.35, things>format 0.16, things>given -0.11, things>goodrole -0.14,
things>mail -0.18, things>mustdo 0.22, things>neg 0.2, things>norms 0.22, things>outside 0.11, things>please -0.2,
things>preface 0.23, things>prior 0.15, things>reader -0.13, things>test -0.14, things>they 0.17, things>things -0.13,
things>trigger -0.15, things>unchecked 0.14, things>unseen 0.22, things>url -0.14, things>vocative -0.38, things>voided
0.14, things>you 0.87, tools -0.12, tools+unseen 0.31, tools+url 0.17, tools+vocative -0.33, tools>modal 0.62,
tools>mustdo 0.21, tools>norms 0.19, tools>payout 0.49, tools>praise -0.15, tools>prior -0.14, tools>rank 0.11,
tools>says 0.14, tools>secretive 0.19, tools>spoils 0.41, tools>they 0.37, tools>tools 0.61, tools>trigger 0.24,
tools>unseen 0.14, tools>update -0.12, tools>url 0.14, tools>vocative -0.21, tools>you 0.43, trigger -0.2,
trigger+unseen 0.19, trigger+update 0.12, trigger>begin -0.11, trigger>given -0.48, trigger>iam 0.2, trigger>judge
-0.14, trigger>mustdo 0.16, trigger>norefuse 0.14, trigger>norms 0.39, trigger>page 0.17, trigger>prior 0.33,
trigger>reader 0.73, trigger>says 0.4, trigger>sendoff -0.24, trigger>shed 0.18, trigger>show 0.11, trigger>spoils
-0.14, trigger>they -0.1, trigger>things -0.22, trigger>tools -0.15, trigger>trigger 0.15, trigger>unseen 0.21,
trigger>vocative 0.11, unchecked+unseen 0.22, unchecked+you -0.37, unchecked>code 0.2, unchecked>given -0.16,
unchecked>me -0.13, unchecked>page 0.18, unchecked>payout -0.3, unchecked>permit 0.27, unchecked>please -0.12,
unchecked>prior -0.22, unchecked>reader 0.27, unchecked>shed 0.15, unchecked>telling 0.11, unchecked>things -0.61,
unchecked>trigger -0.14, unchecked>unchecked 0.47, unchecked>unseen 0.16, unchecked>you -0.24, unseen 0.26, unseen+url
0.12, unseen+you 0.66, unseen>neg 0.56, unseen>shed -0.16, unseen>unseen 0.45, unseen>you 0.14, update+voided -0.31,
update+you -0.13, update>norms -0.32, update>prior -0.13, update>shed -0.15, update>spoils 0.13, update>they 0.2,
update>update 0.26, update>voided -0.2, url 0.14, url>begin 0.13, url>code 0.53, url>me -0.16, url>neg 0.17, url>please
-0.23, url>sendoff 0.21, url>spoils 0.45, url>tools 0.21, vocative -0.11, vocative+you -0.15, vocative>given 0.29,
vocative>judge 0.5, vocative>maker -0.14, vocative>me 0.13, vocative>modal -0.24, vocative>mustdo 0.18, vocative>neg
0.19, vocative>norms 0.49, vocative>page 0.18, vocative>rank -0.38, vocative>reader 0.64, vocative>sendoff 0.24,
vocative>things -0.39, vocative>trigger -0.12, voided+you 0.41, voided>me 0.29, voided>neg 0.33, voided>now 0.24,
voided>show 0.13, voided>vocative 0.11, you 0.38, you>actonit 0.21, you>begin -0.12, you>cleared 0.33, you>code -0.48,
you>exactly 0.14, you>format -0.2, you>fresh 0.32, you>given 0.17, you>goodrole -0.82, you>judge 0.24, you>liberty 0.85,
you>maker 0.19, you>mask 0.46, you>me -0.34, you>modal 0.2, you>mustdo 0.23, you>neg 0.76, you>norefuse 0.14, you>norms
0.71, you>obeyme 0.17, you>outside 0.12, you>page 0.2, you>payout -0.1, you>please -0.11, you>praise 0.11, you>preface
-0.14, you>rank 0.18, you>reader 0.23, you>says -0.27, you>secretive -0.22, you>sendoff 0.22, you>shed 0.54, you>softly
0.25, you>spoils -0.17, you>telling 0.19, you>they 0.4, you>things 0.33, you>tools 0.31, you>unseen 0.49, you>update
-0.14, you>voided 0.39, you>you 0.78
"""
WEIGHTS = {name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}
